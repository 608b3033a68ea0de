"""What an event is worth."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from mall.cache.domain import day_of, heat, is_shown, last_days
from mall_events.goods import GoodsViewed
from mall_events.order import OrderCancelled, OrderCreated
from tests.mall.cache.events import BIKE, LAMP, cancelled, ordered, viewed


@pytest.mark.parametrize(
    ("event", "points"),
    [
        (viewed(), {LAMP: 1}),
        (ordered((LAMP, 2), (BIKE, 1)), {LAMP: 10, BIKE: 5}),
        (cancelled((LAMP, 2)), {LAMP: -10}),
        (ordered((LAMP, 1), (LAMP, 2)), {LAMP: 15}),
        (ordered(), {}),
    ],
)
def test_a_view_is_worth_one_and_an_ordered_piece_five(
    event: GoodsViewed | OrderCreated | OrderCancelled, points: dict[int, int]
) -> None:
    assert heat(event) == points


def test_days_are_utc_days() -> None:
    assert day_of(datetime(2026, 3, 2, 1, tzinfo=timezone(timedelta(hours=8)))) == date(2026, 3, 1)
    assert day_of(datetime(2026, 3, 1, 23, 59, tzinfo=UTC)) == date(2026, 3, 1)
    assert last_days(date(2026, 3, 2))[:3] == [date(2026, 3, 2), date(2026, 3, 1), date(2026, 2, 28)]
    assert len(last_days(date(2026, 3, 2))) == 7


@pytest.mark.parametrize(
    ("status", "shown"), [("ON_SALE", True), ("SOLD_OUT", True), ("DRAFT", False), ("OFF_SHELF", False)]
)
def test_only_goods_on_sale_are_everybody_s_business(status: str, shown: bool) -> None:
    assert is_shown({"status": status}) is shown
    assert not is_shown({})
