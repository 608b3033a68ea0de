"""The cache over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from redis.exceptions import ConnectionError as RedisAway
from redis.exceptions import TimeoutError as RedisSlow

from mall.cache.answers import CachedGoods, CachedPerson, HotGoods, Ranking, cached_goods
from mall.cache.domain import day_of, is_shown
from mall.cache.store import CacheStore, Hot
from mall.errors import CacheUnavailable, NotFound
from mall.web import PathId

routes = APIRouter(prefix="/api/v1")


def _store(request: Request) -> CacheStore:
    store: CacheStore = request.app.state.store
    return store


AtStore = Annotated[CacheStore, Depends(_store)]


@routes.get("/cache/goods/{goods_id}")
async def goods(goods_id: PathId, store: AtStore) -> CachedGoods:
    """Goods on sale and what is left of them, without asking a database."""
    async with _reachable():
        found = await store.get("goods", goods_id)
        stock = await store.get("stock", goods_id)
    if not is_shown(found):
        raise NotFound
    return cached_goods(goods_id, found, stock)


@routes.get("/cache/users/{user_id}")
async def person(user_id: PathId, store: AtStore) -> CachedPerson:
    """The name that a user is shown by, and whether the account is in use."""
    async with _reachable():
        found = await store.get("user", user_id)
    if "username" not in found or "status" not in found:
        raise NotFound
    return CachedPerson.model_validate({**found, "user_id": user_id})


@routes.get("/ranking/hot")
async def hot(store: AtStore, request: Request, limit: Annotated[int, Query(ge=1, le=100)] = 10) -> Ranking:
    """The hottest goods of seven days: a view counts 1, an ordered piece 5."""
    async with _reachable():
        places = await store.hottest(limit=limit, today=day_of(request.app.state.now()))
        return Ranking(goods=[await _place(store, rank, place) for rank, place in enumerate(places, start=1)])


async def _place(store: CacheStore, rank: int, place: Hot) -> HotGoods:
    goods, stock = await store.get("goods", place.goods_id), await store.get("stock", place.goods_id)
    return HotGoods.model_validate(
        {
            "rank": rank,
            "goods_id": place.goods_id,
            "score": place.score,
            "title": goods.get("title"),
            "price": goods.get("price"),
            "available": stock.get("available"),
        }
    )


@asynccontextmanager
async def _reachable() -> AsyncIterator[None]:
    try:
        yield
    except (RedisAway, RedisSlow, OSError):
        raise CacheUnavailable from None
