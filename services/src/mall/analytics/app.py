"""Puts the analytics service together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from fastapi import FastAPI

from mall.analytics import api, reports_api, socket
from mall.analytics.board import Board
from mall.analytics.handlers import counting_handlers, warehouse_handlers
from mall.analytics.tables import metadata
from mall.analytics.warehouse import Warehouse, pack_for_ever
from mall.limits import Limits
from mall.redis import open_redis
from mall.service import Assembly
from mall.settings import Settings
from mall_events.analytics import AnalyticsRecorded
from treaty_runtime.clock import utcnow
from treaty_runtime.handlers import Group

SERVICE, DEAD_LETTER = "analytics", "dlq.analytics"
PUBLISHES = (AnalyticsRecorded,)


def groups() -> list[Group]:
    """The consumer groups: live counters, and rows for the warehouse."""
    return [
        Group("analytics-service", counting_handlers(), dead_letter=DEAD_LETTER),
        Group("analytics-warehouse", warehouse_handlers(), dead_letter=DEAD_LETTER),
    ]


def create(env: Mapping[str, str], *, now: Callable[[], datetime] = utcnow) -> tuple[FastAPI, Settings]:
    """The application and its settings; call it in a running event loop."""
    parts = Assembly(SERVICE, env, metadata=metadata, now=now)
    redis = open_redis(parts.settings.redis_url)
    runtime = parts.runtime(groups(), publishes=PUBLISHES)
    desk = parts.desk(runtime)
    warehouse = Warehouse(folder=parts.settings.warehouse_folder, desk=desk)
    state = {
        "desk": desk,
        "board": Board(desk=desk, now=now),
        "warehouse": warehouse,
        "limits": Limits(redis, now=now),
    }
    routers = [api.routes, reports_api.routes, socket.routes]
    background = [partial(pack_for_ever, warehouse)]
    return parts.app(runtime, routers=routers, state=state, redis=redis, background=background), parts.settings
