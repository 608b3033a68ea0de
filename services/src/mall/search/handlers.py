"""Group `search-service`: what search does about events. Every effect is the same in whatever order a goods' events arrive."""

from __future__ import annotations

from mall.search import store
from mall.search.domain import is_for_sale, plain, weights
from mall.search.tables import SearchGoodsRow
from mall_events.goods import GoodsUpdated, GoodsViewed
from treaty_runtime.event import Context
from treaty_runtime.handlers import Handlers

handlers = Handlers()
on = handlers.on


@on(GoodsUpdated)
async def index(event: GoodsUpdated, context: Context) -> None:
    """Index goods anew, unless something newer is known; those that are not for sale are not found."""
    known = await context.session.get(SearchGoodsRow, event.goods_id)
    if known is not None and known.version >= event.goods_version:
        return
    found = is_for_sale(event.status)
    await context.session.merge(
        SearchGoodsRow(
            goods_id=event.goods_id,
            version=event.goods_version,
            seller_id=event.seller_id,
            title=event.title,
            category=event.category,
            category_key=plain(event.category),
            price=event.price,
            currency=event.currency,
            status=event.status.name,
            is_for_sale=found,
        )
    )
    terms = weights(title=event.title, category=event.category, description=event.description) if found else {}
    await store.replace_terms(context.session, event.goods_id, terms)


@on(GoodsViewed)
async def remember_view(event: GoodsViewed, context: Context) -> None:
    """Remember which goods a session looked at."""
    await store.view(context.session, session_id=event.session_id, goods_id=event.goods_id, viewed_at=event.event_time)
