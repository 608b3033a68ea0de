"""Puts the search service together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from fastapi import FastAPI

from mall.search import api, handlers, store
from mall.search.tables import metadata
from mall.service import Assembly
from mall.settings import Settings
from mall.sweeper import sweep_for_ever
from mall.work import Desk
from treaty_runtime.clock import utcnow
from treaty_runtime.handlers import Group

SERVICE, DEAD_LETTER = "search", "dlq.search"


def groups() -> list[Group]:
    """The consumer group of the service."""
    return [Group("search-service", handlers.handlers, dead_letter=DEAD_LETTER)]


async def forget_views(desk: Desk) -> int:
    """Sweep looks that are too old."""
    async with desk.open() as work:
        return await store.forget_views(work.session, now=work.now)


def create(env: Mapping[str, str], *, now: Callable[[], datetime] = utcnow) -> tuple[FastAPI, Settings]:
    """The application and its settings; call it in a running event loop."""
    parts = Assembly(SERVICE, env, metadata=metadata, now=now)
    runtime = parts.runtime(groups())
    desk = parts.desk(runtime)
    app = parts.app(
        runtime, routers=[api.routes], state={"desk": desk}, background=[lambda: sweep_for_ever(desk, forget_views)]
    )
    return app, parts.settings
