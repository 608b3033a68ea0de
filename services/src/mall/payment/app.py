"""Puts the payment service together."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from fastapi import FastAPI

from mall.payment import api
from mall.payment.handlers import accounting_handlers, channel_handlers, gateway_handlers
from mall.payment.jobs import REFUND_QUEUE, SAGA_QUEUE, announce_refund, announce_saga, sweep, worker
from mall.payment.sandbox import SandboxChannel
from mall.payment.tables import metadata
from mall.payment.till import Till
from mall.redis import open_redis
from mall.service import Assembly
from mall.settings import Settings
from mall.sweeper import sweep_for_ever
from mall_events.accounting import (
    AccountingBalanceUpdated,
    AccountingSettlementCompleted,
    AccountingSettlementCreated,
    AccountingTransactionCreated,
)
from mall_events.audit import AuditLogged
from mall_events.payment import (
    PaymentCreated,
    PaymentFailed,
    PaymentRefundCreated,
    PaymentRefundFailed,
    PaymentRefundSucceeded,
    PaymentSucceeded,
)
from mall_events.risk import RiskCheckCompleted, RiskCheckStarted, RiskCriticalAlertRaised, RiskHighAlertRaised
from mall_events.saga import PaymentSagaCompensationRequested, PaymentSagaStarted
from treaty_runtime.clock import utcnow
from treaty_runtime.delay.queue import DelayQueue
from treaty_runtime.delay.redis import RedisDelays
from treaty_runtime.handlers import Group

SERVICE, DEAD_LETTER = "payment", "dlq.payment"
PUBLISHES = (
    PaymentCreated,
    PaymentSucceeded,
    PaymentFailed,
    PaymentRefundCreated,
    PaymentRefundSucceeded,
    PaymentRefundFailed,
    PaymentSagaStarted,
    PaymentSagaCompensationRequested,
    RiskCheckStarted,
    RiskCheckCompleted,
    RiskHighAlertRaised,
    RiskCriticalAlertRaised,
    AccountingTransactionCreated,
    AccountingBalanceUpdated,
    AccountingSettlementCreated,
    AccountingSettlementCompleted,
    AuditLogged,
)


def groups(till: Till, *, fee_bps: int) -> list[Group]:
    """The consumer groups: what may be paid and undone, who asks the channel, who settles."""
    return [
        Group("payment-gateway-group", gateway_handlers(till), dead_letter=DEAD_LETTER),
        Group("channel-adapter", channel_handlers(till), dead_letter=DEAD_LETTER),
        Group("accounting", accounting_handlers(fee_bps=fee_bps), dead_letter=DEAD_LETTER),
    ]


def create(env: Mapping[str, str], *, now: Callable[[], datetime] = utcnow) -> tuple[FastAPI, Settings]:
    """The application and its settings; call it in a running event loop."""
    parts = Assembly(SERVICE, env, metadata=metadata, now=now)
    redis = open_redis(parts.settings.redis_url)
    till = Till(sessions=parts.sessions, channel=SandboxChannel(parts.sessions), now=now)
    workers = {SAGA_QUEUE: worker(announce_saga, now=now), REFUND_QUEUE: worker(announce_refund, now=now)}
    due = DelayQueue(due_times=RedisDelays(redis), workers=workers)
    runtime = parts.runtime(groups(till, fee_bps=parts.settings.fee_bps), publishes=PUBLISHES, delay=due)
    desk = parts.desk(runtime)
    state = {"desk": desk, "new_uuid": uuid.uuid4}
    background = [partial(sweep_for_ever, desk, sweep)]
    return parts.app(runtime, routers=[api.routes], state=state, redis=redis, background=background), parts.settings
