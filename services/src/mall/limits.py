"""How often somebody may do something: a fixed window of one minute, counted in Redis.

Redis away: each process counts for itself, so that a limit never becomes an outage.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from mall.errors import TooManyRequests

WINDOW_SECONDS = 60


class Limits:
    """Counts attempts per name and minute."""

    def __init__(self, redis: Redis | None, *, now: Callable[[], datetime]) -> None:
        self._redis, self._now = redis, now
        self._window = 0
        self._counts: Counter[str] = Counter()

    async def spend(self, name: str, *, per_minute: int) -> None:
        """Count one attempt of `name` (`<action>:<user>`); raises TooManyRequests above `per_minute`."""
        window = int(self._now().timestamp()) // WINDOW_SECONDS
        if await self._count(name, window) > per_minute:
            raise TooManyRequests(f"More than {per_minute} requests in a minute.")

    async def _count(self, name: str, window: int) -> int:
        if self._redis is None:
            return self._count_here(name, window)
        key = f"mall:limit:{name}:{window}"
        try:
            async with self._redis.pipeline(transaction=True) as pipeline:
                pipeline.incr(key)
                pipeline.expire(key, WINDOW_SECONDS * 2)
                counted, _ = await pipeline.execute()
        except (RedisError, OSError):
            return self._count_here(name, window)
        return cast("int", counted)

    def _count_here(self, name: str, window: int) -> int:
        if window != self._window:
            self._window = window
            self._counts.clear()
        self._counts[name] += 1
        return self._counts[name]
