"""The way to Redis: bounded in time, so that a request never waits for a server that is away."""

from __future__ import annotations

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

CONNECT_SECONDS, ANSWER_SECONDS = 2.0, 5.0


def open_redis(url: str, *, answer_seconds: float = ANSWER_SECONDS, retries: int = 1) -> Redis:
    """A client that answers texts and fails at once where Redis is away; nothing is connected yet."""
    return Redis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=answer_seconds,
        retry=Retry(NoBackoff(), retries),
    )
