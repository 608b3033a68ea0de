"""Group `chat-service`: what the chat service does about events."""

from __future__ import annotations

from mall.chat import store
from mall.chat.domain import closes_conversations
from mall.chat.tables import ListingRow
from mall_events.goods import GoodsUpdated
from treaty_runtime.event import Context
from treaty_runtime.handlers import Handlers

handlers = Handlers()
on = handlers.on


@on(GoodsUpdated)
async def follow_goods(event: GoodsUpdated, context: Context) -> None:
    """Keep the copy that conversations are opened from; goods that leave the shelf end theirs."""
    known = await store.find_listing(context.session, event.goods_id, to_change=True)
    if known is not None and known.version >= event.goods_version:
        return
    await context.session.merge(
        ListingRow(
            goods_id=event.goods_id,
            seller_id=event.seller_id,
            title=event.title,
            status=event.status.name,
            version=event.goods_version,
        )
    )
    if closes_conversations(event.status):
        await store.close_all(context.session, goods_id=event.goods_id)
