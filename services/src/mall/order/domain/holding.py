"""May a payment hold this order, and may its money be asked back?

Law: one payment at a time. A hold ends with its payment's failure, with the order's payment, or with its deadline.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from mall.order.domain.life import ILLEGAL, Ignored, Order, Refused, is_held
from mall_events.order import OrderStatus

REFUNDABLE = frozenset({OrderStatus.PAID, OrderStatus.SHIPPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A payment that wants to hold an order until its deadline. ``amount``: minor units."""

    payment_id: UUID
    amount: int
    currency: str
    deadline: datetime


def hold(order: Order, claim: Claim, *, total: int, now: datetime) -> Order | Ignored | Refused:
    """The order held for a payment. ``total``: what the order costs, in minor units.

    Ignored: the payment has paid the order or failed already. Its other events may come first, for they have other topics.
    """
    if claim.payment_id in (order.payment_id, order.failed_payment_id):
        return Ignored("the payment has ended already")
    if order.status is not OrderStatus.PENDING_PAYMENT:
        return Refused("order_not_payable", f"Order {order.order_id} is {order.status.name}.")
    if (claim.amount, claim.currency) != (total, order.currency):
        return Refused("amount_differs", f"Order {order.order_id} costs {total} {order.currency}.")
    if is_held(order, now) and order.hold_payment_id != claim.payment_id:
        return Refused("already_held", f"Another payment holds order {order.order_id}.")
    return replace(order, hold_until=claim.deadline, hold_payment_id=claim.payment_id)


def release(order: Order, *, payment_id: UUID) -> Order:
    """The order after a payment failed: free, if it was that payment's."""
    after = replace(order, failed_payment_id=payment_id)
    if order.hold_payment_id != payment_id:
        return after
    return replace(after, hold_until=None, hold_payment_id=None)


def ask_refund(order: Order, *, by_hand: UUID) -> Order | Ignored | Refused:
    """The order after its money was asked back. ``by_hand``: the id that a payment in cash would have."""
    if order.status not in REFUNDABLE or order.payment_id is None:
        return Refused(ILLEGAL, f"Order {order.order_id} is {order.status.name}: there is nothing to pay back.")
    if order.payment_id == by_hand:
        return Refused("paid_by_hand", f"Order {order.order_id} was paid by hand.")
    if order.refund_requested:
        return Ignored("a refund was asked for already")
    return replace(order, refund_requested=True)
