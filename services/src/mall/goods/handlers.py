"""Group `goods-service`: what the goods service does about events."""

from __future__ import annotations

from mall.goods import events, store
from mall.goods.domain import Changed, restock
from mall_events.goods import StockChanged
from treaty_runtime.event import Context
from treaty_runtime.handlers import Handlers

handlers = Handlers()
on = handlers.on


@on(StockChanged)
async def follow_stock(event: StockChanged, context: Context) -> None:
    """Show what is left, and say so when the goods are sold out or back on sale."""
    row = await store.find_goods(context.session, event.goods_id, lock=True)
    if row is None:
        return
    outcome = restock(row.value(), available=event.available, stock_version=event.stock_version)
    row.take(outcome.goods, now=event.event_time)
    if isinstance(outcome, Changed):
        context.stage(
            events.updated(outcome.goods, changed=outcome.fields, now=event.event_time, operator="system:goods")
        )
