"""Puts the goods service together."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from fastapi import FastAPI

from mall.goods import api, images_api
from mall.goods.handlers import goods_handlers
from mall.goods.image_files import ImageFiles
from mall.goods.orphans import LOOK_EVERY, orphan_sweep
from mall.goods.tables import metadata
from mall.service import Assembly
from mall.settings import Settings
from mall.sweeper import sweep_for_ever
from mall_events.goods import GoodsUpdated, GoodsViewed
from treaty_runtime.clock import utcnow
from treaty_runtime.handlers import Group

SERVICE, DEAD_LETTER = "goods", "dlq.goods"
PUBLISHES = (GoodsUpdated, GoodsViewed)


def groups(files: ImageFiles) -> list[Group]:
    """The consumer group of the service."""
    return [Group("goods-service", goods_handlers(files), dead_letter=DEAD_LETTER)]


def create(env: Mapping[str, str], *, now: Callable[[], datetime] = utcnow) -> tuple[FastAPI, Settings]:
    """The application and its settings; call it in a running event loop."""
    parts = Assembly(SERVICE, env, metadata=metadata, now=now)
    files = ImageFiles(parts.settings.image_folder)
    runtime = parts.runtime(groups(files), publishes=PUBLISHES)
    desk = parts.desk(runtime)
    app = parts.app(
        runtime,
        routers=[api.routes, images_api.routes],
        state={"desk": desk, "image_files": files, "new_uuid": uuid.uuid4},
        background=[partial(sweep_for_ever, desk, orphan_sweep(files), every=LOOK_EVERY)],
        larger_bodies=images_api.LARGER_BODIES,
    )
    return app, parts.settings
