"""Events of a day on the market, given to batch handlers as the consumer would."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from mall_events.goods import GoodsViewed, ViewSource
from mall_events.order import (
    CancelReason,
    OrderCancelled,
    OrderCreated,
    OrderLine,
    OrderPaid,
    OrderStatus,
    OrderStatusChanged,
)
from mall_events.payment import PaymentFailed, PaymentStatus, PaymentSucceeded
from mall_events.user import UserActivity, UserActivityRecorded
from tests.mall.counter import Counter, envelope
from treaty_runtime.event import BatchContext, Event
from treaty_runtime.handlers import Handlers

NOON = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
FIRST_ORDER = 9007199254740993
PAYMENT = UUID(int=7)


def lines(pieces: int, *, title: str = "Lamp") -> list[OrderLine]:
    return [OrderLine(goods_id=501, title=title, unit_price=Decimal("3.50"), quantity=pieces)]


def placed(order_id: int = FIRST_ORDER, *, pieces: int = 2, at: datetime = NOON, title: str = "Lamp") -> OrderCreated:
    return OrderCreated(
        order_id=order_id,
        order_no=str(order_id),
        buyer_id=10,
        seller_id=20,
        lines=lines(pieces, title=title),
        total=Decimal("3.50") * pieces,
        pay_before=at,
        shipping_address="Dorm 7, bed 3",
        note="call 13900000000",
        event_time=at,
    )


def paid(order_id: int = FIRST_ORDER, *, total: str = "7.00", at: datetime = NOON + timedelta(seconds=90)) -> OrderPaid:
    return OrderPaid(
        order_id=order_id, buyer_id=10, seller_id=20, payment_id=PAYMENT, total=Decimal(total), event_time=at
    )


def cancelled(order_id: int, *, reason: CancelReason = CancelReason.PAYMENT_TIMEOUT) -> OrderCancelled:
    return OrderCancelled(order_id=order_id, buyer_id=10, seller_id=20, reason=reason, lines=lines(1), event_time=NOON)


def completed(order_id: int = FIRST_ORDER) -> OrderStatusChanged:
    return OrderStatusChanged(
        order_id=order_id,
        buyer_id=10,
        seller_id=20,
        previous_status=OrderStatus.SHIPPED,
        current_status=OrderStatus.COMPLETED,
        order_version=4,
        event_time=NOON,
    )


def viewed(goods_id: int = 501, *, at: datetime = NOON) -> GoodsViewed:
    return GoodsViewed(goods_id=goods_id, viewer_id=10, session_id="s", source=ViewSource.SEARCH, event_time=at)


def activity(kind: UserActivity) -> UserActivityRecorded:
    return UserActivityRecorded(user_id=10, activity=kind, event_time=NOON)


def succeeded() -> PaymentSucceeded:
    return PaymentSucceeded(**_payment(PaymentStatus.SUCCEEDED), channel_reference="ref")


def failed() -> PaymentFailed:
    return PaymentFailed(**_payment(PaymentStatus.FAILED), failure_code="declined", failure_message="no")


def _payment(status: PaymentStatus) -> dict[str, Any]:
    return {
        "payment_id": uuid4(),
        "payment_no": "1",
        "merchant_id": 20,
        "order_id": FIRST_ORDER,
        "payer_id": 10,
        "amount": 700,
        "status": status,
        "event_time": NOON,
    }


async def feed(counter: Counter, handlers: Handlers, events: Sequence[Event]) -> None:
    """Hand events over, all of a class in one transaction."""
    for kind in dict.fromkeys(type(event) for event in events):
        batch = [event for event in events if type(event) is kind]
        async with counter.database.sessions.begin() as session:
            envelopes = [envelope(event, event_id=uuid4()) for event in batch]
            context = BatchContext(envelopes=envelopes, deadline=NOON, open_session=session)
            await handlers.events[kind].call(batch, context)
