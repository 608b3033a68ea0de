"""What an event is worth in the hot ranking, and on which day; and what the cache keeps of a person.

A view counts 1, an ordered piece 5; a cancelled piece takes its 5 back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from mall_events.goods import GoodsStatus, GoodsViewed
from mall_events.order import OrderCancelled, OrderCreated
from mall_events.user import UserDeleted, UserRegistered, UserStatus, UserStatusChanged, UserUpdated

VIEW, PIECE = 1, 5
DAYS = 7
REGISTRATION = 1
"""The version of an account that its registration tells."""
SHOWN = frozenset({GoodsStatus.ON_SALE.name, GoodsStatus.SOLD_OUT.name})
"""Goods of other statuses are nobody's business but their seller's."""


def heat(event: GoodsViewed | OrderCreated | OrderCancelled) -> dict[int, int]:
    """Points per goods id."""
    if isinstance(event, GoodsViewed):
        return {event.goods_id: VIEW}
    sign = 1 if isinstance(event, OrderCreated) else -1
    points: dict[int, int] = {}
    for line in event.lines:
        points[line.goods_id] = points.get(line.goods_id, 0) + sign * PIECE * line.quantity
    return points


def person(event: UserRegistered | UserUpdated | UserStatusChanged | UserDeleted) -> tuple[int, dict[str, str]]:
    """The version of an account, and what everybody may see of it then: never an address or a number."""
    match event:
        case UserRegistered():
            return REGISTRATION, {"username": event.username, "status": UserStatus.ACTIVE.name}
        case UserUpdated():
            return event.user_version, {"username": event.username}
        case UserStatusChanged():
            return event.user_version, {"status": event.current_status.name}
        case UserDeleted():
            return event.user_version, {"username": f"deleted-{event.user_id}", "status": UserStatus.DELETED.name}


def day_of(moment: datetime) -> date:
    """The ranking's day: UTC."""
    return moment.astimezone(UTC).date()


def last_days(today: date) -> list[date]:
    """The days of the ranking, newest first."""
    return [today - timedelta(days=back) for back in range(DAYS)]


def is_shown(goods: Mapping[str, str]) -> bool:
    """Whether everybody may see cached goods."""
    return goods.get("status") in SHOWN
