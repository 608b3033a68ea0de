"""Puts the chat service together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from fastapi import FastAPI

from mall.chat import api, handlers
from mall.chat.tables import metadata
from mall.database import open_database
from mall.service import Store, assemble
from mall.settings import Settings
from mall_events import EVENTS
from treaty_runtime.clock import utcnow
from treaty_runtime.handlers import Group
from treaty_runtime.logs import Logs
from treaty_runtime.metrics import Metrics
from treaty_runtime.runtime import Runtime
from treaty_runtime.world import World

SERVICE, DEAD_LETTER = "chat", "dlq.chat"


def groups() -> list[Group]:
    """The consumer group of the service."""
    return [Group("chat-service", handlers.handlers, dead_letter=DEAD_LETTER)]


def create(env: Mapping[str, str], *, now: Callable[[], datetime] = utcnow) -> tuple[FastAPI, Settings]:
    """The application and its settings; call it in a running event loop."""
    settings = Settings.from_env(SERVICE, env)
    store = Store(database=open_database(SERVICE, settings.database_url), metadata=metadata)
    metrics = Metrics(SERVICE, now=now)
    runtime = Runtime(
        service=SERVICE,
        settings=settings.kafka,
        events=EVENTS,
        sessions=store.database.sessions,
        groups=groups(),
        observers=[metrics, Logs(SERVICE)],
        world=World(now=now),
    )
    state = {"desk": store.desk(runtime, now=now)}
    return assemble(
        settings, runtime=runtime, metrics=metrics, routers=[api.routes], state=state, store=store
    ), settings
