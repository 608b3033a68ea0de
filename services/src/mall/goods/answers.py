"""Goods as clients see them. Prices are decimal texts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel

from mall import cursors
from mall.goods.tables import GoodsRow


class GoodsAnswer(BaseModel):
    """Goods of one seller; `available` is null until the order service has told."""

    goods_id: int
    seller_id: int
    title: str
    description: str
    category: str
    price: Decimal
    currency: str
    status: str
    listed_quantity: int
    available: int | None
    version: int
    created_at: datetime
    updated_at: datetime


class GoodsPage(BaseModel):
    """A page of goods; `next_cursor` is null on the last one."""

    goods: list[GoodsAnswer]
    next_cursor: str | None


def goods_answer(row: GoodsRow) -> GoodsAnswer:
    """The goods of a written row."""
    return GoodsAnswer(goods_id=row.id or 0, **row.model_dump(exclude={"id", "stock_version"}))


def page_answer(rows: Sequence[GoodsRow], *, size: int) -> GoodsPage:
    """A page, given up to `size + 1` rows."""
    shown, next_cursor = cursors.page(rows, size=size, id_of=lambda row: row.id or 0)
    return GoodsPage(goods=[goods_answer(row) for row in shown], next_cursor=next_cursor)
