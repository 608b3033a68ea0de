"""The laws of `mall.order.domain.stock`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mall.order.domain import Move, Stock, move, relist


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


@given(st.lists(st.tuples(st.sampled_from(Move), st.integers(1, 9)), max_size=40), st.integers(0, 50))
def test_no_history_of_moves_loses_a_piece(history: list[tuple[Move, int]], listed: int) -> None:
    stock = relist(None, goods_id=1, listed=listed)
    for kind, quantity in history:
        try:
            stock = move(stock, kind, quantity)
        except ValueError:
            continue
        assert min(stock.available, stock.reserved, stock.sold) >= 0
        assert stock.listed == listed
