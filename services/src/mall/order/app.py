"""Puts the order service together."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from fastapi import FastAPI

from mall.limits import Limits
from mall.order import api, confirming, diagnostics_api, handlers, timeout, view
from mall.order.confirming import confirm_worker
from mall.order.diagnostics import diagnostics_handlers
from mall.order.tables import metadata
from mall.order.timeout import QUEUE, timeout_worker
from mall.order.transition import CONFIRM_QUEUE
from mall.redis import open_redis
from mall.service import Assembly
from mall.settings import Settings
from mall.sweeper import sweep_for_ever
from mall_events.audit import AuditLogged
from mall_events.goods import StockChanged
from mall_events.order import (
    MerchantOrderCancelled,
    MerchantOrderCompleted,
    MerchantOrderCreated,
    MerchantOrderUpdated,
    OrderCancelled,
    OrderCreated,
    OrderPaid,
    OrderStatusChanged,
    OrderTimedOut,
    TestEvent,
)
from mall_events.saga import PaymentSagaCompensationRequested
from treaty_runtime.clock import utcnow
from treaty_runtime.delay.queue import DelayQueue
from treaty_runtime.delay.redis import RedisDelays
from treaty_runtime.handlers import Group

SERVICE, DEAD_LETTER = "order", "dlq.order"
PUBLISHES = (
    OrderCreated,
    OrderStatusChanged,
    OrderPaid,
    OrderTimedOut,
    OrderCancelled,
    TestEvent,
    StockChanged,
    MerchantOrderCreated,
    MerchantOrderUpdated,
    MerchantOrderCancelled,
    MerchantOrderCompleted,
    PaymentSagaCompensationRequested,
    AuditLogged,
)


def groups(*, now: Callable[[], datetime]) -> list[Group]:
    """The consumer groups: the service's own, the query side, the quick check."""
    return [
        Group("order-service", handlers.handlers, dead_letter=DEAD_LETTER),
        Group("order-view", view.handlers, dead_letter=DEAD_LETTER),
        Group("quick-check", diagnostics_handlers(now=now), dead_letter=DEAD_LETTER),
    ]


def create(env: Mapping[str, str], *, now: Callable[[], datetime] = utcnow) -> tuple[FastAPI, Settings]:
    """The application and its settings; call it in a running event loop."""
    parts = Assembly(SERVICE, env, metadata=metadata, now=now)
    redis = open_redis(parts.settings.redis_url)
    workers = {QUEUE: timeout_worker(now=now), CONFIRM_QUEUE: confirm_worker(now=now)}
    runtime = parts.runtime(
        groups(now=now), publishes=PUBLISHES, delay=DelayQueue(due_times=RedisDelays(redis), workers=workers)
    )
    desk = parts.desk(runtime)
    state = {
        "desk": desk,
        "publish": runtime.publisher.publish,
        "brokers": parts.settings.kafka.brokers,
        "limits": Limits(redis, now=now),
        "new_uuid": uuid.uuid4,
    }
    routers = [api.routes, diagnostics_api.routes]
    background = [partial(sweep_for_ever, desk, timeout.sweep, confirming.sweep)]
    return parts.app(runtime, routers=routers, state=state, redis=redis, background=background), parts.settings
