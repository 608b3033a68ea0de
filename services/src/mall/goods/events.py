"""What the goods service tells: pure functions from decisions to events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mall.goods.domain import Goods
from mall_events.goods import GoodsUpdated


def image_url(goods_id: int, name: str) -> str:
    """Where a picture is shown, relative to the service."""
    return f"/api/v1/goods/{goods_id}/images/{name}"


def updated(
    goods: Goods,
    *,
    images: Sequence[str],
    changed: Sequence[str],
    now: datetime,
    operator: str,
    note: str | None = None,
) -> GoodsUpdated:
    """The event of a new version of goods."""
    return GoodsUpdated(
        goods_id=goods.goods_id,
        goods_version=goods.version,
        seller_id=goods.seller_id,
        title=goods.title,
        description=goods.description,
        category=goods.category,
        price=goods.price,
        currency=goods.currency,
        status=goods.status,
        listed_quantity=goods.listed_quantity,
        image_urls=[image_url(goods.goods_id, name) for name in images],
        changed=list(changed),
        event_time=now,
        note=note,
        operator=operator,
    )
