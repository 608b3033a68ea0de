"""Group `cache-service`: what the cache does about events. The effects are Redis' own, so no inbox row stands for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Protocol
from uuid import UUID

from mall.cache.domain import day_of, heat, person
from mall_events.goods import GoodsUpdated, GoodsViewed, StockChanged
from mall_events.order import OrderCancelled, OrderCreated
from mall_events.user import UserDeleted, UserRegistered, UserStatusChanged, UserUpdated
from treaty_runtime.event import Context
from treaty_runtime.handlers import Handlers


class Store(Protocol):
    """What handlers write to: the cache in use, or the one that a rebuild makes."""

    async def put(self, kind: str, item_id: int, *, version: int, fields: Mapping[str, str]) -> bool: ...

    async def warm(self, points: Mapping[int, int], *, event_id: UUID, day: date) -> bool: ...


def cache_handlers(store: Store) -> Handlers:
    """The handlers that fill `store`."""
    handlers = Handlers()
    on = handlers.on

    @on(GoodsUpdated, inbox=False)
    async def keep_goods(event: GoodsUpdated, _context: Context) -> None:
        fields = {
            "seller_id": str(event.seller_id),
            "title": event.title,
            "category": event.category,
            "price": str(event.price),
            "currency": event.currency,
            "status": event.status.name,
        }
        await store.put("goods", event.goods_id, version=event.goods_version, fields=fields)

    @on(StockChanged, inbox=False)
    async def keep_stock(event: StockChanged, _context: Context) -> None:
        fields = {"available": str(event.available)}
        await store.put("stock", event.goods_id, version=event.stock_version, fields=fields)

    @on(GoodsViewed, inbox=False)
    async def count_view(event: GoodsViewed, context: Context) -> None:
        await store.warm(heat(event), event_id=context.envelope.id, day=day_of(event.event_time))

    @on(OrderCreated, inbox=False)
    async def count_order(event: OrderCreated, context: Context) -> None:
        await store.warm(heat(event), event_id=context.envelope.id, day=day_of(event.event_time))

    @on(OrderCancelled, inbox=False)
    async def uncount_order(event: OrderCancelled, context: Context) -> None:
        await store.warm(heat(event), event_id=context.envelope.id, day=day_of(event.event_time))

    _follow_people(handlers, store)
    return handlers


def _follow_people(handlers: Handlers, store: Store) -> None:
    on = handlers.on

    @on(UserRegistered, inbox=False)
    async def know_person(event: UserRegistered, _context: Context) -> None:
        await _keep(store, event)

    @on(UserUpdated, inbox=False)
    async def rename_person(event: UserUpdated, _context: Context) -> None:
        await _keep(store, event)

    @on(UserStatusChanged, inbox=False)
    async def mark_person(event: UserStatusChanged, _context: Context) -> None:
        await _keep(store, event)

    @on(UserDeleted, inbox=False)
    async def forget_person(event: UserDeleted, _context: Context) -> None:
        await _keep(store, event)


async def _keep(store: Store, event: UserRegistered | UserUpdated | UserStatusChanged | UserDeleted) -> None:
    version, fields = person(event)
    await store.put("user", event.user_id, version=version, fields=fields)
