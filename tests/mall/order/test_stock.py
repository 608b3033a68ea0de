"""The laws of `mall.order.domain.stock`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mall.order.domain import Move, Stock, move, relist

SOLD = Stock(goods_id=1, available=2, sold=5)


@pytest.mark.parametrize(
    ("kind", "after"),
    [
        (Move.RESERVE, (3, 7, 5, 2)),
        (Move.SELL, (5, 3, 7, 1)),
        (Move.RELEASE, (7, 3, 5, 2)),
        (Move.RETURN, (7, 5, 3, 2)),
    ],
)
def test_a_move_shifts_pieces_and_counts_changes_of_what_is_available(
    kind: Move, after: tuple[int, int, int, int]
) -> None:
    moved = move(Stock(goods_id=1, available=5, reserved=5, sold=5), kind, 2)
    assert (moved.available, moved.reserved, moved.sold, moved.version) == after


def test_a_move_that_would_leave_less_than_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="RESERVE of 2 does not fit"):
        move(Stock(goods_id=1, available=1), Move.RESERVE, 2)


@pytest.mark.parametrize(
    ("before", "listed", "available", "version"),
    [
        (None, 5, 5, 1),
        (Stock(goods_id=1, available=2, reserved=2, sold=1), 8, 5, 2),
        (Stock(goods_id=1, available=2, reserved=2, sold=1), 4, 1, 2),
        (Stock(goods_id=1, available=2, reserved=2, sold=1), 0, 0, 2),
        (Stock(goods_id=1, available=0, reserved=2), 0, 0, 1),
        (Stock(goods_id=1, available=5), 5, 5, 1),
    ],
)
def test_what_is_available_follows_the_listing_and_stops_at_zero(
    before: Stock | None, listed: int, available: int, version: int
) -> None:
    after = relist(before, goods_id=1, listed=listed)
    assert (after.available, after.version) == (available, version)


Step = tuple[Move, int] | int
"""A move of pieces, or how many the seller offers from now on."""
STEPS = st.one_of(st.tuples(st.sampled_from(Move), st.integers(1, 9)), st.integers(0, 50))


@given(st.lists(STEPS, max_size=40), st.integers(0, 50))
def test_no_history_of_moves_loses_a_piece(history: list[Step], listed: int) -> None:
    stock = relist(None, goods_id=1, listed=listed)
    for step in history:
        before = stock
        try:
            stock = relist(stock, goods_id=1, listed=step) if isinstance(step, int) else move(stock, *step)
        except ValueError:
            continue
        listed = step if isinstance(step, int) else listed
        assert min(stock.available, stock.reserved, stock.sold, stock.beyond) >= 0
        assert stock.offered == listed
        assert stock.available == max(0, listed - stock.reserved - stock.sold)
        assert stock.version - before.version == (stock.available != before.available)


@pytest.mark.parametrize(
    ("before", "kind"), [(Stock(goods_id=1, available=2, reserved=5), Move.RELEASE), (SOLD, Move.RETURN)]
)
def test_pieces_that_come_back_to_a_seller_who_offers_fewer_are_not_for_sale(before: Stock, kind: Move) -> None:
    fewer = relist(before, goods_id=1, listed=3)
    after = [move(fewer, kind, quantity) for quantity in (2, 4)]
    assert [(stock.available, stock.beyond, stock.version) for stock in after] == [(0, 0, 2), (2, 0, 3)]
    again = relist(after[0], goods_id=1, listed=7)
    assert (again.available, again.version) == (4, 3)
