"""The cache over HTTP, on a real Redis and without one."""

from __future__ import annotations

from typing import Any

import httpx
from redis.asyncio import Redis

from mall.cache.api import routes
from mall.cache.store import CacheStore
from mall.identity import Identities
from mall.web import application
from mall_events.goods import GoodsStatus
from mall_events.user import UserDeleted, UserRegistered, UserStatus, UserStatusChanged, UserUpdated
from tests.mall.cache.events import BIKE, LAMP, NOW, handle, ordered, stock, updated
from tests.mall.counter import Clock


async def test_cached_goods_show_what_is_left(store: CacheStore, reader: httpx.AsyncClient) -> None:
    path = f"/api/v1/cache/goods/{LAMP}"
    assert (await reader.get(path)).status_code == 404
    await handle(store, updated(version=1))
    assert (await reader.get(path)).json()["available"] is None
    await handle(store, stock(4, version=1))
    assert (await reader.get(path)).json() == {
        "goods_id": LAMP,
        "seller_id": 20,
        "title": "Lamp",
        "category": "home",
        "price": "3.50",
        "currency": "CNY",
        "status": "ON_SALE",
        "version": 1,
        "available": 4,
    }


async def test_goods_that_are_not_on_sale_are_not_shown(store: CacheStore, reader: httpx.AsyncClient) -> None:
    await handle(store, updated(version=1, status=GoodsStatus.DRAFT))
    assert (await reader.get(f"/api/v1/cache/goods/{LAMP}")).status_code == 404


async def test_the_ranking_names_what_the_cache_knows(store: CacheStore, reader: httpx.AsyncClient) -> None:
    await handle(store, updated(version=1))
    await handle(store, ordered((LAMP, 1), (BIKE, 2)))
    goods = (await reader.get("/api/v1/ranking/hot?limit=2")).json()["goods"]
    assert [(place["rank"], place["goods_id"], place["score"], place["title"]) for place in goods] == [
        (1, BIKE, 10, None),
        (2, LAMP, 5, "Lamp"),
    ]
    assert (await reader.get("/api/v1/ranking/hot?limit=0")).status_code == 422


async def test_a_person_is_shown_by_name_and_nothing_else_and_gone_when_deleted(
    store: CacheStore, reader: httpx.AsyncClient
) -> None:
    path = "/api/v1/cache/users/7"
    who: dict[str, Any] = {"user_id": 7, "email": "anna@example.com", "event_time": NOW}
    suspended = UserStatusChanged(
        **who, user_version=3, previous_status=UserStatus.ACTIVE, current_status=UserStatus.SUSPENDED
    )
    assert (await reader.get(path)).status_code == 404
    await handle(store, UserRegistered(**who, username="anna"))
    await handle(store, UserUpdated(**who, user_version=2, username="Anna", phone="+8613800000000"))
    assert (await reader.get(path)).json() == {"user_id": 7, "username": "Anna", "status": "ACTIVE", "version": 2}
    await handle(store, suspended)
    await handle(store, UserRegistered(**who, username="anna"))
    assert (await reader.get(path)).json()["status"] == "SUSPENDED"
    await handle(store, UserDeleted(**who, user_version=4))
    await handle(store, suspended)
    assert (await reader.get(path)).json() == {
        "user_id": 7, "username": "deleted-7", "status": "DELETED", "version": 4,
    }  # fmt: skip
    assert set(await store.get("user", 7)) == {"version", "username", "status"}


async def test_without_redis_readers_are_told_when_to_come_back(
    port: int, clock: Clock, identities: Identities
) -> None:
    app = application("cache", identities=identities, routers=[routes])
    client = Redis.from_url(f"redis://127.0.0.1:{port}/0", decode_responses=True)
    app.state.store, app.state.now = CacheStore(client), clock
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://mall.test") as reader:
        for path in ("/api/v1/ranking/hot", "/api/v1/cache/goods/1", "/api/v1/cache/users/1"):
            answer = await reader.get(path)
            assert (answer.status_code, answer.json()["error"]) == (503, "cache_unavailable")
            assert answer.headers["Retry-After"] == "5"
    await client.aclose()
