"""Goods as clients see them. Prices are decimal texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel

from mall import cursors
from mall.goods.events import image_url
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
    image_urls: list[str]
    created_at: datetime
    updated_at: datetime


class GoodsPage(BaseModel):
    """A page of goods; `next_cursor` is null on the last one."""

    goods: list[GoodsAnswer]
    next_cursor: str | None


def goods_answer(row: GoodsRow, images: Sequence[str]) -> GoodsAnswer:
    """The goods of a written row, with the names of its pictures."""
    goods_id = row.id or 0
    urls = [image_url(goods_id, name) for name in images]
    return GoodsAnswer(goods_id=goods_id, image_urls=urls, **row.model_dump(exclude={"id", "stock_version"}))


def page_answer(rows: Sequence[GoodsRow], *, images: Mapping[int, Sequence[str]], size: int) -> GoodsPage:
    """A page, given up to `size + 1` rows."""
    shown, next_cursor = cursors.page(rows, size=size, id_of=lambda row: row.id or 0)
    return GoodsPage(goods=[goods_answer(row, images.get(row.id or 0, ())) for row in shown], next_cursor=next_cursor)
