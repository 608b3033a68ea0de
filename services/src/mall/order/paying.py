"""What payments do to orders: hold them, pay them, let them go, pay them back.

Law: a payment that the order has no use for is asked back at once; nothing of a payment fails an order's event.
"""

from __future__ import annotations

from uuid import NAMESPACE_OID, UUID, uuid5

from mall.columns import to_minor
from mall.order import events, store
from mall.order.domain import Claim, Ignored, Order, Refused, Trigger, ask_refund, hold, release
from mall.order.tables import OrderRow
from mall.order.transition import Step, attempt, refusal
from mall.work import Work
from mall_events.payment import PaymentFailed, PaymentRefundSucceeded, PaymentSucceeded
from mall_events.saga import PaymentSagaStarted

SYSTEM = "system:order"
CLOSED, DIFFERS = "order_closed", "amount_differs"


def by_hand(order_id: int) -> UUID:
    """The id of a payment in cash: derived from the order's, so that recording it twice is one payment."""
    return uuid5(NAMESPACE_OID, f"mall:by-hand:{order_id}")


async def hold_for(work: Work, *, saga: PaymentSagaStarted) -> None:
    """Keep the order for a payment until its deadline, or say why that cannot be."""
    row = await store.find_order(work.session, saga.order_id, lock=True)
    if row is None:
        _compensate(work, saga.payment_id, saga.order_id, "order_not_payable")
        return
    claim = Claim(payment_id=saga.payment_id, amount=saga.amount, currency=saga.currency, deadline=saga.deadline)
    order = await _order(work, row)
    outcome = hold(order, claim, total=to_minor(order.total), now=work.now)
    if isinstance(outcome, Refused):
        _compensate(work, saga.payment_id, saga.order_id, outcome.code)
    elif isinstance(outcome, Order):
        row.take(outcome, now=work.now)


async def take_payment(work: Work, *, payment: PaymentSucceeded) -> None:
    """Mark the order as paid; if it is closed or paid by another, the money goes back."""
    row = await store.find_order(work.session, payment.order_id, lock=True)
    if row is None:
        _compensate(work, payment.payment_id, payment.order_id, CLOSED)
        return
    if (payment.amount, payment.currency) != (to_minor(row.total), row.currency):
        _compensate(work, payment.payment_id, payment.order_id, DIFFERS)
        return
    step = Step(trigger=Trigger.PAID, operator=SYSTEM, payment_id=payment.payment_id)
    if isinstance(await attempt(work, row=row, step=step), Refused):
        _compensate(work, payment.payment_id, payment.order_id, CLOSED)


async def let_go(work: Work, *, payment: PaymentFailed) -> None:
    """Free the order for another payment."""
    row = await store.find_order(work.session, payment.order_id, lock=True)
    if row is not None:
        row.take(release(await _order(work, row), payment_id=payment.payment_id), now=work.now)


async def take_back(work: Work, *, refund: PaymentRefundSucceeded) -> None:
    """Mark the order as refunded, if the money is that of its payment."""
    row = await store.find_order(work.session, refund.order_id, lock=True)
    if row is not None:
        await attempt(work, row=row, step=Step(trigger=Trigger.REFUNDED, operator=SYSTEM, payment_id=refund.payment_id))


async def ask_back(work: Work, *, row: OrderRow, operator: str) -> None:
    """Ask for the money of a locked order; raises Refusal if there is none. Asked again, it is one refund."""
    outcome = ask_refund(await _order(work, row), by_hand=by_hand(row.id or 0))
    if isinstance(outcome, Refused):
        raise refusal(outcome)
    if isinstance(outcome, Ignored) or outcome.payment_id is None:
        return
    row.take(outcome, now=work.now)
    _compensate(work, outcome.payment_id, outcome.order_id, "refund_requested", operator=operator)


async def _order(work: Work, row: OrderRow) -> Order:
    return store.order_of(row, await store.lines_of(work.session, row.id or 0))


def _compensate(work: Work, payment_id: UUID, order_id: int, reason: str, *, operator: str = SYSTEM) -> None:
    told = events.compensation(payment_id=payment_id, order_id=order_id, reason=reason, now=work.now, operator=operator)
    work.stage(told)
