"""Puts the goods service together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from fastapi import FastAPI

from mall.goods import api, handlers
from mall.goods.tables import metadata
from mall.service import Assembly
from mall.settings import Settings
from mall_events.goods import GoodsUpdated, GoodsViewed
from treaty_runtime.clock import utcnow
from treaty_runtime.handlers import Group

SERVICE, DEAD_LETTER = "goods", "dlq.goods"
PUBLISHES = (GoodsUpdated, GoodsViewed)


def groups() -> list[Group]:
    """The consumer group of the service."""
    return [Group("goods-service", handlers.handlers, dead_letter=DEAD_LETTER)]


def create(env: Mapping[str, str], *, now: Callable[[], datetime] = utcnow) -> tuple[FastAPI, Settings]:
    """The application and its settings; call it in a running event loop."""
    parts = Assembly(SERVICE, env, metadata=metadata, now=now)
    runtime = parts.runtime(groups(), publishes=PUBLISHES)
    return parts.app(runtime, routers=[api.routes], state={"desk": parts.desk(runtime)}), parts.settings
