"""People and goods of the order tests."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from mall.order.handlers import handlers
from mall_events.goods import GoodsStatus, GoodsUpdated
from tests.mall.counter import Counter

BUYER, SELLER, STRANGER, ADMIN = 10, 20, 30, 1
LAMP, BIKE = 501, 502


def goods(
    goods_id: int = LAMP,
    *,
    version: int = 1,
    listed: int = 5,
    status: GoodsStatus = GoodsStatus.ON_SALE,
    changed: Sequence[str] = (),
    counter: Counter,
) -> GoodsUpdated:
    """Goods as the goods service would tell them."""
    return GoodsUpdated(
        goods_id=goods_id,
        goods_version=version,
        seller_id=SELLER,
        title="Lamp" if goods_id == LAMP else "Bike",
        description="",
        category="home",
        price=Decimal("3.50"),
        status=status,
        listed_quantity=listed,
        changed=list(changed),
        event_time=counter.desk.now(),
    )


async def stock_up(counter: Counter, goods_id: int = LAMP, **of: Any) -> None:
    """Let the service learn of goods, and forget what it told about that."""
    await counter.handle(handlers, goods(goods_id, counter=counter, **of))
    counter.told.events.clear()


async def placed(counter: Counter, *, quantity: int = 2, goods_id: int = LAMP, **rest: Any) -> dict[str, Any]:
    """A new order of the buyer."""
    body = {"lines": [{"goods_id": goods_id, "quantity": quantity}], **rest}
    answer = await counter.call("POST", "/api/v1/orders", user=BUYER, json=body)
    assert answer.status_code == 201, answer.text
    order: dict[str, Any] = answer.json()
    return order
