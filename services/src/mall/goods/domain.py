"""The life of goods: drafted, reviewed, on sale, sold out, off the shelf.

Law 1: a transition that is not in `TRANSITIONS` is refused, with both states named.
Law 2: every transition and every edit that changes something raises the version by one and is told by GoodsUpdated.
Law 3: only the newest StockChanged counts; it moves goods between ON_SALE and SOLD_OUT and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum

from mall_events.goods import GoodsStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    """Goods of one seller, as decisions see them; `available` is None until the order service has told."""

    goods_id: int
    seller_id: int
    title: str
    description: str
    category: str
    price: Decimal
    currency: str
    listed_quantity: int
    status: GoodsStatus = GoodsStatus.DRAFT
    version: int = 1
    available: int | None = None
    stock_version: int = 0


class Action(Enum):
    """What people do to goods."""

    SUBMIT = "be submitted"
    APPROVE = "be approved"
    REJECT = "be rejected"
    SHELVE = "be put on the shelf"
    UNSHELVE = "be taken off the shelf"


@dataclass(frozen=True, slots=True)
class Changed:
    """The goods after the change, and the names of the fields that changed."""

    goods: Goods
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Nothing that others see has changed."""

    goods: Goods


@dataclass(frozen=True, slots=True)
class Refused:
    """The goods' status does not allow that."""

    message: str


TRANSITIONS: Mapping[tuple[GoodsStatus, Action], GoodsStatus] = {
    (GoodsStatus.DRAFT, Action.SUBMIT): GoodsStatus.PENDING_REVIEW,
    (GoodsStatus.REJECTED, Action.SUBMIT): GoodsStatus.PENDING_REVIEW,
    (GoodsStatus.PENDING_REVIEW, Action.APPROVE): GoodsStatus.ON_SALE,
    (GoodsStatus.PENDING_REVIEW, Action.REJECT): GoodsStatus.REJECTED,
    (GoodsStatus.OFF_SHELF, Action.SHELVE): GoodsStatus.ON_SALE,
    (GoodsStatus.ON_SALE, Action.UNSHELVE): GoodsStatus.OFF_SHELF,
    (GoodsStatus.SOLD_OUT, Action.UNSHELVE): GoodsStatus.OFF_SHELF,
}
VISIBLE = frozenset({GoodsStatus.ON_SALE, GoodsStatus.SOLD_OUT, GoodsStatus.OFF_SHELF})
"""Approved once: everybody may look; the others are for the seller and admins."""
FOR_SALE = frozenset({GoodsStatus.ON_SALE, GoodsStatus.SOLD_OUT})

RETIRED = {
    GoodsStatus.ON_SALE: GoodsStatus.OFF_SHELF,
    GoodsStatus.SOLD_OUT: GoodsStatus.OFF_SHELF,
    GoodsStatus.PENDING_REVIEW: GoodsStatus.REJECTED,
}
"""Drafts stay drafts: off the shelf everybody could look at them."""


def act(goods: Goods, action: Action) -> Changed | Refused:
    """What `action` makes of `goods`."""
    to = TRANSITIONS.get((goods.status, action))
    if to is None:
        return Refused(f"Goods {goods.goods_id} are {goods.status.name}: they cannot {action.value}.")
    if to is GoodsStatus.ON_SALE and goods.available == 0:
        to = GoodsStatus.SOLD_OUT
    return _changed(replace(goods, status=to), ("status",))


def edit(goods: Goods, changes: Mapping[str, str | int | Decimal]) -> Changed | Unchanged:
    """The goods with `changes` (field name to new value); fields that keep their value do not count."""
    fields = tuple(sorted(name for name, value in changes.items() if getattr(goods, name) != value))
    if not fields:
        return Unchanged(goods)
    edited = replace(
        goods,
        title=str(changes.get("title", goods.title)),
        description=str(changes.get("description", goods.description)),
        category=str(changes.get("category", goods.category)),
        price=Decimal(changes.get("price", goods.price)),
        listed_quantity=int(changes.get("listed_quantity", goods.listed_quantity)),
    )
    return _changed(edited, fields)


def repicture(goods: Goods) -> Changed:
    """The goods after a picture was added or removed."""
    return _changed(goods, ("image_urls",))


def retire(goods: Goods) -> Changed | Unchanged:
    """The goods after their seller's account was deleted: nothing is for sale, and nobody needs to judge it any more."""
    to = RETIRED.get(goods.status)
    return Unchanged(goods) if to is None else _changed(replace(goods, status=to), ("image_urls", "status"))


def restock(goods: Goods, *, available: int, stock_version: int) -> Changed | Unchanged:
    """The goods after the order service said how many pieces are left."""
    if stock_version <= goods.stock_version:
        return Unchanged(goods)
    known = replace(goods, available=available, stock_version=stock_version)
    fits = GoodsStatus.ON_SALE if available else GoodsStatus.SOLD_OUT
    if goods.status not in FOR_SALE or goods.status is fits:
        return Unchanged(known)
    return _changed(replace(known, status=fits), ("status",))


def _changed(goods: Goods, fields: tuple[str, ...]) -> Changed:
    return Changed(replace(goods, version=goods.version + 1), fields)
