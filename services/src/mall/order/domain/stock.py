"""Stock of one kind of goods.

Law 1: `available`, `reserved` and `sold` are never negative.
Law 2: `available + reserved + sold == listed`; only `relist` changes `listed`.
Law 3: the version rises by one with every change of `available`, and only then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """Pieces of one kind of goods, by what happened to them."""

    goods_id: int
    available: int
    reserved: int = 0
    sold: int = 0
    version: int = 1

    @property
    def listed(self) -> int:
        """Pieces ever offered."""
        return self.available + self.reserved + self.sold


class Move(Enum):
    """What an order does to the stock of its lines, as (available, reserved, sold) per piece."""

    RESERVE = (-1, 1, 0)
    SELL = (0, -1, 1)
    RELEASE = (1, -1, 0)
    RETURN = (1, 0, -1)


def move(stock: Stock, kind: Move, quantity: int) -> Stock:
    """The stock after `quantity` pieces moved.

    Raises ValueError if a count would become negative: the caller decided without holding the row's lock.
    """
    available, reserved, sold = (per_piece * quantity for per_piece in kind.value)
    after = replace(
        stock,
        available=stock.available + available,
        reserved=stock.reserved + reserved,
        sold=stock.sold + sold,
        version=stock.version + (1 if available else 0),
    )
    if min(after.available, after.reserved, after.sold) < 0:
        raise ValueError(f"{kind.name} of {quantity} does not fit {stock}")
    return after


def relist(stock: Stock | None, *, goods_id: int, listed: int) -> Stock:
    """The stock after the seller offers `listed` pieces in all.

    Pieces that are reserved or sold stay so: `available` follows the change and stops at zero.
    """
    if stock is None:
        return Stock(goods_id=goods_id, available=listed)
    available = max(0, stock.available + listed - stock.listed)
    if available == stock.available:
        return stock
    return replace(stock, available=available, version=stock.version + 1)


def promised_beyond(stock: Stock, *, listed: int) -> int:
    """How many pieces more than `listed` are reserved or sold: what a seller offers in all cannot be fewer."""
    return max(0, stock.reserved + stock.sold - listed)
