"""Cached goods and the ranking as clients see them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from pydantic import BaseModel


class CachedGoods(BaseModel):
    """Goods as the cache has them; `available` is null until the first StockChanged."""

    goods_id: int
    seller_id: int
    title: str
    category: str
    price: Decimal
    currency: str
    status: str
    version: int
    available: int | None


class CachedPerson(BaseModel):
    """What everybody may see of a user."""

    user_id: int
    username: str
    status: str
    version: int


class HotGoods(BaseModel):
    """One place in the ranking; the title is null while the cache does not know the goods."""

    rank: int
    goods_id: int
    score: int
    title: str | None
    price: Decimal | None
    available: int | None


class Ranking(BaseModel):
    """The hottest goods of seven days."""

    goods: list[HotGoods]


def cached_goods(goods_id: int, goods: Mapping[str, str], stock: Mapping[str, str]) -> CachedGoods:
    """The goods of their two hashes."""
    return CachedGoods.model_validate({**goods, "goods_id": goods_id, "available": stock.get("available")})
