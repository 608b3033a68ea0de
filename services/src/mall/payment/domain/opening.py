"""May this order be paid now?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mall_events.order import OrderStatus

CURRENCY = "CNY"
"""The ledger's accounts are kept in one currency, and the channel charges in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payable:
    """What the payment service knows of an order: a copy made from its events. ``amount``: minor units."""

    order_id: int
    buyer_id: int
    seller_id: int
    amount: int
    currency: str
    pay_before: datetime
    status: OrderStatus


@dataclass(frozen=True, slots=True)
class Refused:
    """Not now: a code for programs, a sentence for people."""

    code: str
    message: str


def may_pay(order: Payable, *, has_live_payment: bool, now: datetime) -> Refused | None:
    """The first obstacle, or None. A live payment is one that is under way or has succeeded."""
    if has_live_payment:
        return Refused("payment_in_progress", f"A payment of order {order.order_id} is under way or went through.")
    if order.status is not OrderStatus.PENDING_PAYMENT:
        return Refused("order_not_payable", f"Order {order.order_id} is {order.status.name}.")
    if now >= order.pay_before:
        return Refused(
            "order_not_payable", f"Order {order.order_id} was to be paid before {order.pay_before:%H:%M:%S}."
        )
    if order.amount <= 0:
        return Refused("order_not_payable", f"Order {order.order_id} costs nothing.")
    if order.currency != CURRENCY:
        return Refused("order_not_payable", f"Order {order.order_id} is in {order.currency}; only {CURRENCY} is taken.")
    return None
