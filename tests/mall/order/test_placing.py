"""Which wishes become orders."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from mall.order.domain import Listing, OutOfStock, Placed, Refused, Stock, Wanted, place
from mall_events.goods import GoodsStatus

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BUYER, SELLER = 10, 20
LAMP = Listing(
    goods_id=1,
    seller_id=SELLER,
    title="Lamp",
    price=Decimal("3.50"),
    currency="CNY",
    status=GoodsStatus.ON_SALE,
    version=1,
)
BIKE = replace(LAMP, goods_id=2, title="Bike", price=Decimal("120.00"))


def wish(
    *lines: tuple[int, int], listings: tuple[Listing, ...] = (LAMP, BIKE), available: int = 5, buyer: int = BUYER
) -> Placed | OutOfStock | Refused:
    return place(
        buyer,
        wanted=[Wanted(goods_id=goods_id, quantity=quantity) for goods_id, quantity in lines],
        listings={listing.goods_id: listing for listing in listings},
        stock={listing.goods_id: Stock(goods_id=listing.goods_id, available=available) for listing in listings},
        now=NOW,
    )


def test_an_order_takes_the_listing_s_price_and_reserves_the_stock() -> None:
    placed = wish((1, 2), (2, 1))
    assert isinstance(placed, Placed)
    assert placed.seller_id == SELLER
    assert [(line.title, line.unit_price, line.quantity) for line in placed.lines] == [
        ("Lamp", Decimal("3.50"), 2),
        ("Bike", Decimal("120.00"), 1),
    ]
    assert placed.total == Decimal("127.00")
    assert placed.pay_before == NOW + timedelta(minutes=30)
    assert [(stock.available, stock.reserved) for stock in placed.stock] == [(3, 2), (4, 1)]


def test_sold_out_goods_may_be_asked_for_because_the_stock_decides() -> None:
    assert isinstance(wish((1, 1), listings=(replace(LAMP, status=GoodsStatus.SOLD_OUT),)), Placed)


def test_missing_pieces_are_named() -> None:
    assert wish((1, 1), (2, 6)) == OutOfStock(goods_id=2, available=5)


def test_goods_without_a_stock_row_have_nothing_to_sell() -> None:
    outcome = place(BUYER, wanted=[Wanted(goods_id=1, quantity=1)], listings={1: LAMP}, stock={}, now=NOW)
    assert outcome == OutOfStock(goods_id=1, available=0)


@pytest.mark.parametrize(
    ("lines", "listings", "buyer", "code"),
    [
        (((1, 1), (1, 2)), (LAMP,), BUYER, "duplicate_line"),
        (((3, 1),), (LAMP,), BUYER, "not_on_sale"),
        (((1, 1),), (replace(LAMP, status=GoodsStatus.OFF_SHELF),), BUYER, "not_on_sale"),
        (((1, 1),), (replace(LAMP, status=GoodsStatus.DRAFT),), BUYER, "not_on_sale"),
        (((1, 1),), (LAMP,), SELLER, "own_goods"),
        (((1, 1), (2, 1)), (LAMP, replace(BIKE, seller_id=21)), BUYER, "several_sellers"),
        (((1, 1), (2, 1)), (LAMP, replace(BIKE, currency="EUR")), BUYER, "several_currencies"),
        (((1, 2),), (replace(LAMP, price=Decimal("9999999999.99")),), BUYER, "total_too_large"),
    ],
)
def test_what_may_not_be_ordered_is_refused(
    lines: tuple[tuple[int, int], ...], listings: tuple[Listing, ...], buyer: int, code: str
) -> None:
    outcome = wish(*lines, listings=listings, buyer=buyer)
    assert isinstance(outcome, Refused)
    assert outcome.code == code
