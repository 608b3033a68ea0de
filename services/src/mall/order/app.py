"""Puts the order service together."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from fastapi import FastAPI

from mall.database import open_database
from mall.limits import Limits
from mall.order import api, diagnostics_api, handlers, view
from mall.order.diagnostics import diagnostics_handlers
from mall.order.tables import metadata
from mall.order.timeout import QUEUE, sweep_for_ever, timeout_worker
from mall.redis import open_redis
from mall.service import Store, assemble
from mall.settings import Settings
from mall_events import EVENTS
from treaty_runtime.clock import utcnow
from treaty_runtime.delay.queue import DelayQueue
from treaty_runtime.delay.redis import RedisDelays
from treaty_runtime.handlers import Group
from treaty_runtime.logs import Logs
from treaty_runtime.metrics import Metrics
from treaty_runtime.runtime import Runtime
from treaty_runtime.world import World

SERVICE, DEAD_LETTER = "order", "dlq.order"


def groups(*, now: Callable[[], datetime]) -> list[Group]:
    """The consumer groups: the service's own, the query side, the quick check."""
    return [
        Group("order-service", handlers.handlers, dead_letter=DEAD_LETTER),
        Group("order-view", view.handlers, dead_letter=DEAD_LETTER),
        Group("quick-check", diagnostics_handlers(now=now), dead_letter=DEAD_LETTER),
    ]


def create(env: Mapping[str, str], *, now: Callable[[], datetime] = utcnow) -> tuple[FastAPI, Settings]:
    """The application and its settings; call it in a running event loop."""
    settings = Settings.from_env(SERVICE, env)
    store = Store(database=open_database(SERVICE, settings.database_url), metadata=metadata)
    redis = open_redis(settings.redis_url)
    metrics = Metrics(SERVICE, now=now)
    runtime = Runtime(
        service=SERVICE,
        settings=settings.kafka,
        events=EVENTS,
        sessions=store.database.sessions,
        groups=groups(now=now),
        delay=DelayQueue(due_times=RedisDelays(redis), workers={QUEUE: timeout_worker(now=now)}),
        observers=[metrics, Logs(SERVICE)],
        world=World(now=now),
    )
    desk = store.desk(runtime, now=now)
    app = assemble(
        settings,
        runtime=runtime,
        metrics=metrics,
        routers=[api.routes, diagnostics_api.routes],
        state={
            "desk": desk,
            "publish": runtime.publisher.publish,
            "brokers": settings.kafka.brokers,
            "limits": Limits(redis, now=now),
            "new_uuid": uuid.uuid4,
        },
        store=store,
        redis=redis,
        background=[partial(sweep_for_ever, desk)],
    )
    return app, settings
