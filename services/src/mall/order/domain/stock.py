"""Stock of one kind of goods.

Law 1: `available`, `reserved` and `sold` are never negative.
Law 2: `available + reserved + sold == listed`; only `relist` changes `offered`, which is `listed - beyond`.
Law 3: the version rises by one with every change of `available`, and only then.
Law 4: `available == max(0, offered - reserved - sold)`: pieces that come back to a seller who offers fewer are not for sale.
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
    beyond: int = 0
    """Pieces that are reserved or sold beyond what the seller offers by now."""
    version: int = 1

    @property
    def listed(self) -> int:
        """Pieces that are for sale or promised."""
        return self.available + self.reserved + self.sold

    @property
    def offered(self) -> int:
        """Pieces that the seller offers in all."""
        return self.listed - self.beyond


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
    withdrawn = min(max(0, available), stock.beyond)
    after = replace(
        stock,
        available=stock.available + available - withdrawn,
        reserved=stock.reserved + reserved,
        sold=stock.sold + sold,
        beyond=stock.beyond - withdrawn,
    )
    if min(after.available, after.reserved, after.sold) < 0:
        raise ValueError(f"{kind.name} of {quantity} does not fit {stock}")
    return _counted(stock, after)


def relist(stock: Stock | None, *, goods_id: int, listed: int) -> Stock:
    """The stock after the seller offers `listed` pieces in all.

    Pieces that are reserved or sold stay so: `available` follows the change and stops at zero, and `beyond` says what is missing.
    """
    if stock is None:
        return Stock(goods_id=goods_id, available=listed)
    left = listed - stock.reserved - stock.sold
    return _counted(stock, replace(stock, available=max(0, left), beyond=max(0, -left)))


def _counted(before: Stock, after: Stock) -> Stock:
    return after if after.available == before.available else replace(after, version=before.version + 1)
