"""The way to Redis: bounded in time, so that a request never waits for a server that is away, and in connections, which stay."""

from __future__ import annotations

import asyncio

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

CONNECT_SECONDS, ANSWER_SECONDS = 2.0, 5.0
CONNECTIONS = 8
"""Of a process at most. Commands take a fraction of a millisecond: who comes to none waits for one, ``ANSWER_SECONDS`` at most."""


def open_redis(url: str, *, answer_seconds: float = ANSWER_SECONDS, retries: int = 1) -> Redis:
    """A client that answers texts and fails at once where Redis is away; nothing is connected yet."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS,
        timeout=ANSWER_SECONDS,
        decode_responses=True,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=answer_seconds,
        retry=Retry(NoBackoff(), retries),
    )
    return Redis.from_pool(pool)


async def open_all(redis: Redis) -> None:
    """Open every connection there may be, so that a process has the descriptors of its busiest hour from the start.

    Those to a Redis that is away are opened when they are needed.
    """
    await asyncio.gather(*(redis.ping() for _ in range(CONNECTIONS)), return_exceptions=True)
