"""Puts the cache service together. It has no database: Redis holds its effects, and the topics hold everything else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from fastapi import FastAPI
from redis.exceptions import ConnectionError as RedisAway
from redis.exceptions import TimeoutError as RedisSlow

from mall.cache import api
from mall.cache.handlers import Store, cache_handlers
from mall.cache.store import CacheStore
from mall.redis import open_redis
from mall.service import Assembly
from mall.settings import Settings
from treaty_runtime.clock import utcnow
from treaty_runtime.handlers import Group

SERVICE, DEAD_LETTER = "cache", "dlq.cache"


def groups(store: Store) -> list[Group]:
    """The consumer group of the service; it waits while Redis is away."""
    return [Group("cache-service", cache_handlers(store), dead_letter=DEAD_LETTER, outages=(RedisAway, RedisSlow))]


def create(env: Mapping[str, str], *, now: Callable[[], datetime] = utcnow) -> tuple[FastAPI, Settings]:
    """The application and its settings; call it in a running event loop."""
    parts = Assembly(SERVICE, env, metadata=None, now=now)
    redis = open_redis(parts.settings.redis_url)
    store = CacheStore(redis)
    runtime = parts.runtime(groups(store))
    return parts.app(runtime, routers=[api.routes], state={"store": store, "now": now}, redis=redis), parts.settings
