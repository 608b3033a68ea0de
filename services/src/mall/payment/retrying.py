"""People have looked at a refund that the channel refused for good, and have it asked once more."""

from __future__ import annotations

from uuid import UUID

from mall.errors import NotFound, Refusal
from mall.payment import events, jobs, store
from mall.payment.tables import PaymentRow, RefundRow
from mall.work import Work
from mall_events.payment import PaymentStatus


async def retry_refund(work: Work, payment_id: UUID, *, operator: str) -> tuple[PaymentRow, RefundRow]:
    """Have the channel asked again for a refund that was left to people; raises NotFound, Refusal."""
    row = await store.find_payment(work.session, payment_id, lock=True)
    if row is None:
        raise NotFound
    refund = await store.refund_of_payment(work.session, payment_id)
    if refund is None or row.status != PaymentStatus.REFUNDING.name:
        step = "Read the payment again; only one that is REFUNDING waits for its money."
        raise Refusal("no_refund", f"Payment {row.payment_no} is {row.status}: no refund waits.", next_step=step)
    if refund.due_at is not None:
        step = "Wait a minute, then read the payment again."
        raise Refusal(
            "refund_in_progress", f"The refund of payment {row.payment_no} is tried by itself.", next_step=step
        )
    refund.due_at = work.now
    told = events.refund_asked_again(store.payment_of(row), store.refund_of(refund), now=work.now, actor=operator)
    work.stage(told)
    await jobs.announce_refund(work, payment_id)
    return row, refund
