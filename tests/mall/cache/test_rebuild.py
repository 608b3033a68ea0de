"""The cache made anew beside the one in use: what is handled meanwhile is in both, and nothing counts twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from mall.cache.rebuild import NewCache, clear, marked, swap
from mall.cache.scripts import BUILDING
from mall.cache.store import CacheStore
from mall.rebuilt import History, RebuildRefused

pytestmark = pytest.mark.redis
TODAY = date(2026, 3, 10)
DAY = datetime(2026, 3, 10, tzinfo=UTC)


@pytest.fixture
async def client(redis: str) -> AsyncIterator[Redis]:
    """A client of an empty Redis."""
    async with Redis.from_url(redis, decode_responses=True) as client:
        yield client


@pytest.fixture
def live(client: Redis) -> CacheStore:
    """The cache in use."""
    return CacheStore(client)


def new_cache(client: Redis) -> NewCache:
    return NewCache(client, "t", today=lambda: TODAY)


async def ranking(client: Redis, day: date = TODAY) -> dict[str, float]:
    places = await client.zrange(f"mall:hot:{day:%Y%m%d}", 0, -1, withscores=True)
    return {str(place[0]): float(place[1]) for place in places}


async def test_what_is_handled_meanwhile_is_in_both_and_counts_once(client: Redis, live: CacheStore) -> None:
    old, present, late = uuid4(), uuid4(), uuid4()
    await live.warm({1: 5}, event_id=old, day=TODAY)
    await client.zincrby(f"mall:hot:{TODAY:%Y%m%d}", 900, "9")
    async with marked(client, "t"):
        new = new_cache(client)
        await live.warm({1: 1}, event_id=present, day=TODAY)
        await live.put("goods", 1, version=3, fields={"title": "third"})
        for event_id, points in ((old, 5), (present, 1), (late, 2), (late, 2)):
            await new.warm({1: points}, event_id=event_id, day=TODAY)
        await new.put("goods", 1, version=2, fields={"title": "second", "price": "2"})
        await swap(client, "t", History())
    assert await ranking(client) == {"1": 8}
    assert await live.get("goods", 1) == {"title": "third", "price": "2", "version": "3"}
    await live.warm({1: 2}, event_id=late, day=TODAY)  # the running service comes to what the rebuild has counted
    await live.warm({1: 5}, event_id=old, day=TODAY)
    assert await ranking(client) == {"1": 8}
    await live.warm({1: 1}, event_id=uuid4(), day=TODAY)
    assert await ranking(client) == {"1": 9}
    assert not await client.keys("mall:new:*")


async def test_what_never_was_goes_and_what_the_topics_no_longer_tell_stays(client: Redis, live: CacheStore) -> None:
    yesterday = TODAY - timedelta(days=1)
    await live.put("user", 1, version=1, fields={"username": "ann", "status": "ACTIVE"})
    await live.put("goods", 7, version=1, fields={"title": "never was"})
    for day in (yesterday, TODAY):
        await live.warm({1: 5}, event_id=uuid4(), day=day)
    async with marked(client, "t"):
        new = new_cache(client)
        await new.put("user", 1, version=2, fields={"username": "anna"})
        await new.warm({1: 1}, event_id=uuid4(), day=TODAY)
        await new.warm({1: 1}, event_id=uuid4(), day=yesterday)
        cut = History({"user.events": DAY - timedelta(hours=3), "order-events": DAY - timedelta(hours=3)})
        change = await swap(client, "t", cut)
    assert await live.get("user", 1) == {"username": "anna", "status": "ACTIVE", "version": "2"}
    assert await live.get("goods", 7) == {}
    assert (await ranking(client, yesterday), await ranking(client)) == ({"1": 5}, {"1": 1})
    assert (change.taken_out, change.stayed) == (1, 1)


async def test_a_lost_mark_swaps_nothing_and_leftovers_are_deleted(client: Redis, live: CacheStore) -> None:
    await live.put("goods", 1, version=1, fields={"title": "old"})
    async with marked(client, "t"):
        await new_cache(client).put("goods", 1, version=2, fields={"title": "new"})
        with pytest.raises(RebuildRefused, match="Another rebuild"):
            await marked(client, "u").__aenter__()
        await client.delete(BUILDING)
        with pytest.raises(RebuildRefused, match="the old cache stays"):
            await swap(client, "t", History())
    assert (await live.get("goods", 1))["title"] == "old"
    async with marked(client, "v"):
        await clear(client, "v")
        assert await client.keys("mall:new:*") == [BUILDING]
        await swap(client, "v", History())
    assert await live.get("goods", 1) == {}


async def test_days_that_are_no_longer_ranked_are_not_counted(client: Redis) -> None:
    assert not await new_cache(client).warm({1: 1}, event_id=uuid4(), day=TODAY - timedelta(days=30))
    assert await client.keys("*") == []
