"""Group `admin-service`: what must be answered for goes into the chain, dead letters are counted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from mall.audit import store
from mall.audit.domain import Kept, cause_of, entry_of
from mall_events.audit import AuditLogged
from mall_events.chat import ChatMessageCreated
from mall_events.payment import PaymentRefundFailed
from mall_events.risk import RiskCriticalAlertRaised, RiskHighAlertRaised
from treaty_runtime.event import Context, Record
from treaty_runtime.handlers import Handlers

REASON = "treaty-reason"
DEAD_LETTERS = (
    "dlq.order", "dlq.goods", "dlq.chat", "dlq.user", "dlq.payment", "dlq.notification", "dlq.cache", "dlq.analytics",
    "dlq.search",
)  # fmt: skip
"""All but our own: a dead letter that could not be counted would come back for ever."""


def audit_handlers(*, now: Callable[[], datetime]) -> Handlers:
    """The handlers of the group; `now` dates a dead letter, whose own time may be that of the record it was."""
    handlers = Handlers()
    on = handlers.on

    @on(AuditLogged)
    async def keep_act(event: AuditLogged, context: Context) -> None:
        await _keep(event, context)

    @on(ChatMessageCreated)
    async def keep_message(event: ChatMessageCreated, context: Context) -> None:
        await _keep(event, context)

    @on(PaymentRefundFailed)
    async def keep_failed_refund(event: PaymentRefundFailed, context: Context) -> None:
        await _keep(event, context)

    @on(RiskHighAlertRaised)
    async def keep_alert(event: RiskHighAlertRaised, context: Context) -> None:
        await _keep(event, context)

    @on(RiskCriticalAlertRaised)
    async def keep_critical_alert(event: RiskCriticalAlertRaised, context: Context) -> None:
        await _keep(event, context)

    for topic in DEAD_LETTERS:
        handlers.raw(topic)(_counting(topic, now))
    return handlers


async def _keep(event: Kept, context: Context) -> None:
    await store.append(context.session, entry_of(event, event_id=context.envelope.id))


def _counting(topic: str, now: Callable[[], datetime]) -> Callable[[Record, Context], Awaitable[None]]:
    service = topic.removeprefix("dlq.")

    async def count_dead_letter(record: Record, context: Context) -> None:
        reason = next((value for name, value in record.headers if name == REASON), None)
        await store.count_dead_letter(context.session, service=service, cause=cause_of(reason), at=now())

    return count_dead_letter
