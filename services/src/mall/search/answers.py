"""Answers of the search service. Prices are decimal texts."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from pydantic import BaseModel

from mall import cursors
from mall.search.store import Found


class FoundGoods(BaseModel):
    """Goods that are for sale, or sold out at the moment."""

    goods_id: int
    seller_id: int
    title: str
    category: str
    price: Decimal
    currency: str
    status: str
    score: int


class FoundPage(BaseModel):
    """A page of answers, best first; `next_cursor` is null on the last one."""

    goods: list[FoundGoods]
    next_cursor: str | None


class Recommendations(BaseModel):
    """Goods looked at together with others; `score` is the number of sessions."""

    goods: list[FoundGoods]


def found_page(found: Sequence[Found], *, size: int) -> FoundPage:
    """A page, given up to `size + 1` goods."""
    shown = found[:size]
    next_cursor = cursors.encode(shown[-1][1], shown[-1][0].goods_id) if len(found) > size else None
    return FoundPage(goods=found_goods(shown), next_cursor=next_cursor)


def found_goods(found: Sequence[Found]) -> list[FoundGoods]:
    """Each of the goods with its score."""
    return [FoundGoods(**row.model_dump(include=set(FoundGoods.model_fields)), score=score) for row, score in found]
