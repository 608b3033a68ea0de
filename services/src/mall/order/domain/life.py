"""The life of an order: which trigger leads from which status to which, and what it does to the stock.

Law 1: a transition that is not in `TRANSITIONS` is refused, with both states named.
Law 2: every transition raises the order's version by one.
Law 3: folding the events of an order with `evolve` gives its row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import Enum
from uuid import UUID

from mall.order.domain.stock import Move
from mall_events.order import (
    CancelReason,
    OrderCancelled,
    OrderCreated,
    OrderLine,
    OrderPaid,
    OrderStatus,
    OrderStatusChanged,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order, as decisions see it."""

    order_id: int
    buyer_id: int
    seller_id: int
    status: OrderStatus
    version: int
    lines: tuple[OrderLine, ...]
    total: Decimal
    currency: str
    pay_before: datetime
    payment_id: UUID | None = None
    hold_until: datetime | None = None
    hold_payment_id: UUID | None = None
    failed_payment_id: UUID | None = None
    refund_requested: bool = False


class Trigger(Enum):
    """What may happen to an order after it was placed."""

    PAID = "be paid"
    TIMED_OUT = "time out"
    CANCELLED_BY_BUYER = "be cancelled by its buyer"
    CANCELLED_BY_SELLER = "be cancelled by its seller"
    SHIPPED = "be shipped"
    CONFIRMED = "be confirmed"
    REFUNDED = "be refunded"


@dataclass(frozen=True, slots=True)
class Advanced:
    """The order after the trigger, and what its lines do to the stock."""

    order: Order
    previous: OrderStatus
    move: Move | None = None
    reason: CancelReason | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """The trigger came too late or too early and changes nothing; `until` says when to look again."""

    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The asker may not do that now: a code for programs, a sentence for people."""

    code: str
    message: str


ILLEGAL = "illegal_transition"
PENDING, PAID, SHIPPED = OrderStatus.PENDING_PAYMENT, OrderStatus.PAID, OrderStatus.SHIPPED
COMPLETED, CANCELLED, REFUNDED = OrderStatus.COMPLETED, OrderStatus.CANCELLED, OrderStatus.REFUNDED

TRANSITIONS: Mapping[tuple[OrderStatus, Trigger], tuple[OrderStatus, Move | None, CancelReason | None]] = {
    (PENDING, Trigger.PAID): (PAID, Move.SELL, None),
    (PENDING, Trigger.TIMED_OUT): (CANCELLED, Move.RELEASE, CancelReason.PAYMENT_TIMEOUT),
    (PENDING, Trigger.CANCELLED_BY_BUYER): (CANCELLED, Move.RELEASE, CancelReason.BUYER_REQUEST),
    (PENDING, Trigger.CANCELLED_BY_SELLER): (CANCELLED, Move.RELEASE, CancelReason.SELLER_REQUEST),
    (PAID, Trigger.SHIPPED): (SHIPPED, None, None),
    (SHIPPED, Trigger.CONFIRMED): (COMPLETED, None, None),
    (PAID, Trigger.REFUNDED): (REFUNDED, Move.RETURN, None),
    (SHIPPED, Trigger.REFUNDED): (REFUNDED, Move.RETURN, None),
}


def advance(
    order: Order, trigger: Trigger, *, now: datetime, payment_id: UUID | None = None
) -> Advanced | Ignored | Refused:
    """What `trigger` does to `order` at `now`; `payment_id` names the payment of `Trigger.PAID`, `REFUNDED`."""
    row = TRANSITIONS.get((order.status, trigger))
    if trigger is Trigger.PAID and payment_id is not None and payment_id == order.payment_id:
        return Ignored("this payment has paid it already")
    if trigger is Trigger.REFUNDED and payment_id != order.payment_id:
        return Ignored("the money of another payment went back")
    if trigger is Trigger.TIMED_OUT:
        if row is None:
            return Ignored(f"the order is {order.status.name} already")
        if is_held(order, now):
            return Ignored("a payment is in progress", until=order.hold_until)
        if now < order.pay_before:
            return Ignored("its deadline was moved", until=order.pay_before)
    if row is None:
        return Refused(ILLEGAL, f"Order {order.order_id} is {order.status.name}: it cannot {trigger.value}.")
    if trigger in (Trigger.CANCELLED_BY_BUYER, Trigger.CANCELLED_BY_SELLER) and is_held(order, now):
        return Refused("payment_in_progress", f"A payment of order {order.order_id} is in progress.")
    if trigger is Trigger.PAID and is_held(order, now) and payment_id != order.hold_payment_id:
        return Refused("payment_in_progress", f"Another payment of order {order.order_id} is in progress.")
    if trigger in (Trigger.SHIPPED, Trigger.CONFIRMED) and order.refund_requested:
        return Refused("refund_requested", f"A refund of order {order.order_id} was asked for.")
    to, stock_move, reason = row
    after = replace(order, status=to, version=order.version + 1, payment_id=payment_id or order.payment_id)
    if trigger is Trigger.PAID:
        after = replace(after, hold_until=None, hold_payment_id=None)
    return Advanced(after, order.status, stock_move, reason)


def is_held(order: Order, now: datetime) -> bool:
    """Whether a payment of the order may still go through; a hold past its deadline holds no more."""
    return order.hold_until is not None and now < order.hold_until


def evolve(order: Order | None, event: OrderCreated | OrderStatusChanged | OrderPaid | OrderCancelled) -> Order | None:
    """The order after one of its events; what happened before OrderCreated was seen is unknown, so None."""
    if isinstance(event, OrderCreated):
        return order or Order(
            order_id=event.order_id,
            buyer_id=event.buyer_id,
            seller_id=event.seller_id,
            status=event.current_status,
            version=event.order_version,
            lines=tuple(event.lines),
            total=event.total,
            currency=event.currency,
            pay_before=event.pay_before,
        )
    if order is None:
        return None
    if isinstance(event, OrderPaid):
        return replace(order, payment_id=event.payment_id)
    if isinstance(event, OrderStatusChanged) and event.order_version > order.version:
        return replace(order, status=event.current_status, version=event.order_version)
    return order


def order_no(order_id: int, *, placed_at: datetime) -> str:
    """The number shown to people: day of placing (UTC) and id."""
    return f"{placed_at:%Y%m%d}-{order_id}"
