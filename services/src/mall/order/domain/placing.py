"""May these goods be ordered by this buyer, and what does the order look like?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from mall.order.domain.life import Refused
from mall.order.domain.stock import Move, Stock, move
from mall_events.goods import GoodsStatus
from mall_events.order import OrderLine

PAY_WITHIN = timedelta(minutes=30)
HIGHEST_TOTAL = Decimal("9999999999.99")
"""The most that decimal(12,2) can carry."""
# Sold-out goods may be asked for: the listing is a copy and may lag, the stock row decides.
ORDERABLE = frozenset({GoodsStatus.ON_SALE, GoodsStatus.SOLD_OUT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Goods and pieces a buyer asks for."""

    goods_id: int
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What the order service knows of goods: a copy made from GoodsUpdated."""

    goods_id: int
    seller_id: int
    title: str
    price: Decimal
    currency: str
    status: GoodsStatus
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The order can be written; `stock` holds the rows after the reservation."""

    seller_id: int
    lines: tuple[OrderLine, ...]
    total: Decimal
    currency: str
    pay_before: datetime
    stock: tuple[Stock, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfStock:
    """Fewer pieces are available than asked for."""

    goods_id: int
    available: int


def place(
    buyer_id: int,
    *,
    wanted: Sequence[Wanted],
    listings: Mapping[int, Listing],
    stock: Mapping[int, Stock],
    now: datetime,
) -> Placed | OutOfStock | Refused:
    """Decide on an order: the first obstacle, or the order and the stock rows after it."""
    refusal = next(_obstacles(buyer_id, wanted, listings), None)
    if refusal:
        return refusal
    for line in wanted:
        left = stock[line.goods_id].available if line.goods_id in stock else 0
        if left < line.quantity:
            return OutOfStock(goods_id=line.goods_id, available=left)
    lines = tuple(_line(listings[line.goods_id], line.quantity) for line in wanted)
    total = sum((line.unit_price * line.quantity for line in lines), Decimal("0.00"))
    if total > HIGHEST_TOTAL:
        return Refused("total_too_large", f"The order costs {total}; one order may cost {HIGHEST_TOTAL} at most.")
    first = listings[wanted[0].goods_id]
    return Placed(
        seller_id=first.seller_id,
        lines=lines,
        total=total,
        currency=first.currency,
        pay_before=now + PAY_WITHIN,
        stock=tuple(move(stock[line.goods_id], Move.RESERVE, line.quantity) for line in wanted),
    )


def _line(listing: Listing, quantity: int) -> OrderLine:
    return OrderLine(goods_id=listing.goods_id, title=listing.title, unit_price=listing.price, quantity=quantity)


def _obstacles(buyer_id: int, wanted: Sequence[Wanted], listings: Mapping[int, Listing]) -> Iterator[Refused]:
    if len({line.goods_id for line in wanted}) < len(wanted):
        yield Refused("duplicate_line", "The same goods stand in two lines.")
    for line in wanted:
        listing = listings.get(line.goods_id)
        if listing is None or listing.status not in ORDERABLE:
            yield Refused("not_on_sale", f"Goods {line.goods_id} are not on sale.")
        elif listing.seller_id == buyer_id:
            yield Refused("own_goods", f"Goods {line.goods_id} are your own.")
    known = [listings[line.goods_id] for line in wanted if line.goods_id in listings]
    if len({listing.seller_id for listing in known}) > 1:
        yield Refused("several_sellers", "The goods belong to several sellers.")
    if len({listing.currency for listing in known}) > 1:
        yield Refused("several_currencies", "The goods are priced in several currencies.")
