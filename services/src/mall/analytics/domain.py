"""What an event adds to which counters. A counter counts by the minute of the event, so a recount gives the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from mall.columns import to_minor
from mall_events.analytics import AnalyticsRecorded
from mall_events.chat import ChatMessageCreated
from mall_events.goods import GoodsViewed
from mall_events.order import OrderCancelled, OrderCreated, OrderPaid
from mall_events.payment import PaymentFailed, PaymentRefundSucceeded, PaymentSucceeded
from mall_events.user import UserActivity, UserActivityRecorded

NAMES = (
    "orders_created",
    "orders_paid",
    "orders_cancelled",
    "gmv_paid_minor",
    "goods_views",
    "chat_messages",
    "registrations",
    "logins",
    "unusual_logins",
    "payments_success",
    "payments_failed",
    "refunds",
)
"""Counters that are shown even at 0; what programs record for themselves is counted as `event:<name>`."""
Counts = Mapping[str, int]

ACTIVITIES: Mapping[UserActivity, Counts] = {
    UserActivity.REGISTERED: {"registrations": 1},
    UserActivity.LOGGED_IN: {"logins": 1},
    UserActivity.UNUSUAL_LOGIN: {"logins": 1, "unusual_logins": 1},
}
ADDS: Mapping[type[Any], Callable[[Any], Counts]] = {
    OrderCreated: lambda _: {"orders_created": 1},
    OrderPaid: lambda event: {"orders_paid": 1, "gmv_paid_minor": to_minor(event.total)},
    OrderCancelled: lambda _: {"orders_cancelled": 1},
    GoodsViewed: lambda _: {"goods_views": 1},
    ChatMessageCreated: lambda _: {"chat_messages": 1},
    UserActivityRecorded: lambda event: ACTIVITIES.get(event.activity, {}),
    PaymentSucceeded: lambda _: {"payments_success": 1},
    PaymentFailed: lambda _: {"payments_failed": 1},
    PaymentRefundSucceeded: lambda _: {"refunds": 1},
    AnalyticsRecorded: lambda event: {f"event:{event.name}"[:100]: 1},
}
"""Event class to what one of it adds."""

TOLD_BY: Mapping[str, type[Any]] = {
    "orders_created": OrderCreated,
    "orders_paid": OrderPaid,
    "orders_cancelled": OrderCancelled,
    "gmv_paid_minor": OrderPaid,
    "goods_views": GoodsViewed,
    "chat_messages": ChatMessageCreated,
    "registrations": UserActivityRecorded,
    "logins": UserActivityRecorded,
    "unusual_logins": UserActivityRecorded,
    "payments_success": PaymentSucceeded,
    "payments_failed": PaymentFailed,
    "refunds": PaymentRefundSucceeded,
}
"""Counter to the event that it counts."""


def minute_of(time: datetime) -> datetime:
    """The minute that an event counts in."""
    return time.replace(second=0, microsecond=0)


def sums(events: Iterable[Any]) -> Counter[tuple[str, datetime]]:
    """What some events add together, by counter and minute."""
    added: Counter[tuple[str, datetime]] = Counter()
    for event in events:
        minute = minute_of(event.event_time)
        for name, number in ADDS[type(event)](event).items():
            added[name, minute] += number
    return added
