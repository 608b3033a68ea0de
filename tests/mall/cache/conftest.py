"""The cache service on a real Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from redis.asyncio import Redis

from mall.cache.api import routes
from mall.cache.store import CacheStore
from mall.identity import Identities
from mall.web import application
from tests.mall.counter import Clock


@pytest.fixture
async def store(redis: str) -> AsyncIterator[CacheStore]:
    """The cache on an empty Redis."""
    async with Redis.from_url(redis, decode_responses=True) as client:
        yield CacheStore(client)


@pytest.fixture
async def reader(store: CacheStore, clock: Clock, identities: Identities) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the cache's HTTP interface."""
    app = application("cache", identities=identities, routers=[routes])
    app.state.store, app.state.now = store, clock
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://mall.test") as client:
        yield client
