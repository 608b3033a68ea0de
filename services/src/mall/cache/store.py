"""What the cache keeps in Redis: one Lua script per effect, so that an effect and its dedupe key are one step.

Law 1: an event changes a counter once: the dedupe key `processed:cache-service:<event id>` is set by the script that counts.
Law 2: goods and stock only move to a higher version, so they need no dedupe key.
Everything here can be made again from the topics (`mall.cache.rebuild`); what a rebuild handled is in `mall:handled`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from redis.asyncio import Redis

from mall.cache.domain import last_days
from mall.cache.scripts import BUILDING, COUNT_ONCE, HANDLED, SET_IF_NEWER, UNITE

GROUP = "cache-service"
DEDUPE_SECONDS = 86_400
DAY_KEPT_SECONDS = 8 * 86_400
RANKING = "mall:hot:7d"
RANKING_FRESH_MILLISECONDS = 1_000


@dataclass(frozen=True, slots=True)
class Hot:
    """One place in the ranking."""

    goods_id: int
    score: int


class CacheStore:
    """The cache's keys, over a client with `decode_responses=True`.

    Every method may raise redis.exceptions.ConnectionError or TimeoutError.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._set_if_newer = redis.register_script(SET_IF_NEWER)
        self._count_once = redis.register_script(COUNT_ONCE)
        self._unite = redis.register_script(UNITE)

    async def put(self, kind: str, item_id: int, *, version: int, fields: Mapping[str, str]) -> bool:
        """Keep a version of `goods`, `stock` or `user` if it is newer than the kept one."""
        arguments = [str(version), *(part for pair in fields.items() for part in pair)]
        return bool(await self._set_if_newer(keys=[key_of(kind, item_id), BUILDING], args=arguments))

    async def get(self, kind: str, item_id: int) -> dict[str, str]:
        """What is kept; empty if nothing is."""
        found = await self._redis.hgetall(key_of(kind, item_id))
        return {str(name): str(value) for name, value in found.items()}

    async def warm(self, points: Mapping[int, int], *, event_id: UUID, day: date) -> bool:
        """Add points to a day's ranking, once per event."""
        keys = [f"processed:{GROUP}:{event_id}", key_of_day(day), BUILDING, HANDLED]
        pairs = [str(part) for pair in points.items() for part in pair]
        return bool(await self._count_once(keys=keys, args=[str(event_id), DEDUPE_SECONDS, DAY_KEPT_SECONDS, *pairs]))

    async def hottest(self, *, limit: int, today: date) -> list[Hot]:
        """The hottest goods of the last seven days, at most a second old."""
        keys = [RANKING, f"{RANKING}:fresh", *map(key_of_day, last_days(today))]
        await self._unite(keys=keys, args=[RANKING_FRESH_MILLISECONDS, DAY_KEPT_SECONDS])
        places = await self._redis.zrevrange(RANKING, 0, limit - 1, withscores=True)
        return [Hot(int(place[0]), int(place[1])) for place in places]


def key_of(kind: str, item_id: int) -> str:
    """Where an item is kept."""
    return f"mall:{kind}:{item_id}"


def key_of_day(day: date) -> str:
    """Where a day's ranking is kept."""
    return f"mall:hot:{day:%Y%m%d}"
