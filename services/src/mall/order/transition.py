"""Carries out `domain.advance`: the order, its stock and the events change in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from mall.errors import Refusal
from mall.order import events, store
from mall.order.domain import Advanced, Ignored, Move, Order, Refused, Trigger, advance, move
from mall.order.tables import OrderRow
from mall.work import Work
from treaty_runtime.job import Job

CONFIRM_QUEUE, CONFIRM_WITHIN = "order-confirm", timedelta(days=7)

NEXT_STEPS = {
    "illegal_transition": "Read the order again; its history tells who did what.",
    "payment_in_progress": "Wait until the payment succeeds or fails.",
    "refund_requested": "Wait until the refund is through.",
    "paid_by_hand": "Ask the seller for the money: it was given by hand.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that happens to an order, and who says so."""

    trigger: Trigger
    operator: str
    note: str | None = None
    payment_id: UUID | None = None


async def carry_out(work: Work, *, row: OrderRow, step: Step) -> Order | Ignored:
    """Advance a locked order row; raises Refusal if the table of transitions says no."""
    outcome = await attempt(work, row=row, step=step)
    if isinstance(outcome, Refused):
        raise refusal(outcome)
    return outcome


async def attempt(work: Work, *, row: OrderRow, step: Step) -> Order | Ignored | Refused:
    """Advance a locked order row, or answer why not."""
    before = store.order_of(row, await store.lines_of(work.session, row.id or 0))
    outcome = advance(before, step.trigger, now=work.now, payment_id=step.payment_id)
    if not isinstance(outcome, Advanced):
        return outcome
    row.take(outcome.order, now=work.now)
    for event in events.advanced(outcome, now=work.now, note=step.note, operator=step.operator):
        work.stage(event)
    if outcome.move:
        await _move_stock(work, outcome.order, outcome.move, step.operator)
    if step.trigger is Trigger.SHIPPED:
        row.confirm_before = work.now + CONFIRM_WITHIN
        work.schedule(confirm_job(outcome.order.order_id, due=row.confirm_before))
    return outcome.order


def refusal(refused: Refused) -> Refusal:
    """A decision's no, as clients are told it."""
    return Refusal(refused.code, refused.message, next_step=NEXT_STEPS[refused.code])


def confirm_job(order_id: int, *, due: datetime) -> Job:
    """The job that confirms an order whose buyer says nothing."""
    return Job(queue=CONFIRM_QUEUE, id=str(order_id), due=due, payload=str(order_id).encode())


async def _move_stock(work: Work, order: Order, kind: Move, operator: str) -> None:
    rows = await store.lock_stock(work.session, {line.goods_id for line in order.lines})
    for line in order.lines:
        row = rows[line.goods_id]
        before = store.stock_of(row)
        after = move(before, kind, line.quantity)
        row.take(after)
        if after.version != before.version:
            work.stage(events.stock_changed(after, now=work.now, order_id=order.order_id, operator=operator))
