"""The cache's effects on a real Redis: each once, versions only upwards."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

from mall.cache.store import CacheStore, Hot
from tests.mall.cache.events import BIKE, LAMP, NOW, cancelled, handle, ordered, stock, updated, viewed

TODAY = NOW.date()


async def test_views_and_orders_make_goods_hot_and_cancellations_cool_them(store: CacheStore) -> None:
    for event in (viewed(), viewed(), ordered((LAMP, 2), (BIKE, 3)), cancelled((LAMP, 1))):
        await handle(store, event)
    assert await store.hottest(limit=10, today=TODAY) == [Hot(BIKE, 15), Hot(LAMP, 7)]


async def test_an_event_that_comes_again_counts_once(store: CacheStore) -> None:
    event_id = uuid4()
    await asyncio.gather(*(handle(store, ordered((LAMP, 1)), event_id=event_id) for _ in range(20)))
    assert await store.hottest(limit=10, today=TODAY) == [Hot(LAMP, 5)]


async def test_the_ranking_holds_seven_days_and_nothing_below_zero(store: CacheStore) -> None:
    for back, goods_id in ((0, 1), (6, 2), (7, 3)):
        await handle(store, viewed(goods_id, at=NOW - timedelta(days=back)))
    await handle(store, cancelled((4, 1)))
    assert {place.goods_id for place in await store.hottest(limit=10, today=TODAY)} == {1, 2}


async def test_versions_only_go_up(store: CacheStore) -> None:
    for version, title in ((2, "new"), (1, "old"), (2, "same"), (10, "newest"), (9, "late")):
        await handle(store, updated(version=version, title=title))
    assert (await store.get("goods", LAMP))["title"] == "newest"
    await handle(store, stock(0, version=3))
    await handle(store, stock(5, version=2))
    assert await store.get("stock", LAMP) == {"version": "3", "available": "0"}


async def test_what_was_counted_is_forgotten_in_time(store: CacheStore) -> None:
    event_id = uuid4()
    await handle(store, viewed(), event_id=event_id)
    redis = store._redis
    assert 86_000 < await redis.ttl(f"processed:cache-service:{event_id}") <= 86_400
    assert 7 * 86_400 < await redis.ttl("mall:hot:20260301") <= 8 * 86_400
