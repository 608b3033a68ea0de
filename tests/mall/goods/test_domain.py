"""The table of `mall.goods.domain`, row by row."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest

from mall.goods.domain import TRANSITIONS, Action, Changed, Goods, Refused, Unchanged, act, edit, restock
from mall_events.goods import GoodsStatus

LAMP = Goods(
    goods_id=1,
    seller_id=20,
    title="Lamp",
    description="",
    category="home",
    price=Decimal("3.50"),
    currency="CNY",
    listed_quantity=5,
)


@pytest.mark.parametrize(
    ("status", "action", "to"),
    [
        ("DRAFT", Action.SUBMIT, "PENDING_REVIEW"),
        ("REJECTED", Action.SUBMIT, "PENDING_REVIEW"),
        ("PENDING_REVIEW", Action.APPROVE, "ON_SALE"),
        ("PENDING_REVIEW", Action.REJECT, "REJECTED"),
        ("OFF_SHELF", Action.SHELVE, "ON_SALE"),
        ("ON_SALE", Action.UNSHELVE, "OFF_SHELF"),
        ("SOLD_OUT", Action.UNSHELVE, "OFF_SHELF"),
    ],
)
def test_a_listed_transition_happens_and_counts(status: str, action: Action, to: str) -> None:
    outcome = act(replace(LAMP, status=GoodsStatus[status]), action)
    assert outcome == Changed(replace(LAMP, status=GoodsStatus[to], version=2), ("status",))


@pytest.mark.parametrize(
    ("status", "action"), [pair for pair in product(GoodsStatus, Action) if pair not in TRANSITIONS]
)
def test_any_other_transition_is_refused_and_names_both_states(status: GoodsStatus, action: Action) -> None:
    outcome = act(replace(LAMP, status=status), action)
    assert isinstance(outcome, Refused)
    assert status.name in outcome.message
    assert action.value in outcome.message


def test_goods_without_pieces_come_back_to_the_shelf_sold_out() -> None:
    outcome = act(replace(LAMP, status=GoodsStatus.OFF_SHELF, available=0, stock_version=3), Action.SHELVE)
    assert isinstance(outcome, Changed)
    assert outcome.goods.status is GoodsStatus.SOLD_OUT


def test_an_edit_names_what_changed_and_one_that_changes_nothing_is_none() -> None:
    outcome = edit(LAMP, {"title": "Lamp", "price": Decimal("4.00"), "listed_quantity": 6})
    assert outcome == Changed(
        replace(LAMP, price=Decimal("4.00"), listed_quantity=6, version=2), ("listed_quantity", "price")
    )
    assert edit(LAMP, {"title": "Lamp"}) == Unchanged(LAMP)


@pytest.mark.parametrize(
    ("status", "available", "version", "to"),
    [
        ("ON_SALE", 0, 4, "SOLD_OUT"),
        ("SOLD_OUT", 1, 4, "ON_SALE"),
        ("ON_SALE", 2, 4, None),
        ("SOLD_OUT", 0, 4, None),
        ("OFF_SHELF", 0, 4, None),
        ("DRAFT", 5, 4, None),
        ("ON_SALE", 0, 3, None),
        ("ON_SALE", 0, 2, None),
    ],
)
def test_only_the_newest_stock_counts_and_only_for_goods_on_sale(
    status: str, available: int, version: int, to: str | None
) -> None:
    before = replace(LAMP, status=GoodsStatus[status], available=1, stock_version=3)
    outcome = restock(before, available=available, stock_version=version)
    if to is None:
        assert isinstance(outcome, Unchanged)
        assert outcome.goods.status is GoodsStatus[status]
    else:
        assert isinstance(outcome, Changed)
        assert outcome.goods.status is GoodsStatus[to]
    assert outcome.goods.stock_version == max(3, version)
