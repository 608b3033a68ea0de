"""What the goods service tells: pure functions from decisions to events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mall.goods.domain import Goods
from mall_events.goods import GoodsUpdated


def updated(
    goods: Goods, *, changed: Sequence[str], now: datetime, operator: str, note: str | None = None
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
        changed=list(changed),
        event_time=now,
        note=note,
        operator=operator,
    )
