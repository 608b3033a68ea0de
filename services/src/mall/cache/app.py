"""Puts the cache service together. It has no database: Redis holds its effects, and the topics hold everything else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from fastapi import FastAPI
from redis.exceptions import ConnectionError as RedisAway
from redis.exceptions import TimeoutError as RedisSlow

from mall.cache import api
from mall.cache.handlers import cache_handlers
from mall.cache.store import CacheStore
from mall.redis import open_redis
from mall.service import assemble
from mall.settings import Settings
from mall_events import EVENTS
from treaty_runtime.clock import utcnow
from treaty_runtime.handlers import Group
from treaty_runtime.logs import Logs
from treaty_runtime.metrics import Metrics
from treaty_runtime.runtime import Runtime
from treaty_runtime.world import World

SERVICE, DEAD_LETTER = "cache", "dlq.cache"


def groups(store: CacheStore) -> list[Group]:
    """The consumer group of the service; it waits while Redis is away."""
    return [Group("cache-service", cache_handlers(store), dead_letter=DEAD_LETTER, outages=(RedisAway, RedisSlow))]


def create(env: Mapping[str, str], *, now: Callable[[], datetime] = utcnow) -> tuple[FastAPI, Settings]:
    """The application and its settings; call it in a running event loop."""
    settings = Settings.from_env(SERVICE, env)
    redis = open_redis(settings.redis_url)
    store = CacheStore(redis)
    metrics = Metrics(SERVICE, now=now)
    runtime = Runtime(
        service=SERVICE,
        settings=settings.kafka,
        events=EVENTS,
        groups=groups(store),
        observers=[metrics, Logs(SERVICE)],
        world=World(now=now),
    )
    state = {"store": store, "now": now}
    return assemble(
        settings, runtime=runtime, metrics=metrics, routers=[api.routes], state=state, redis=redis
    ), settings
