"""The cache made anew from its topics, into `mall:new:<rebuild>:*`, then renamed in one step.

Laws. 1. The mark `mall:new:building` comes first, then the ends of the topics are taken: what the running service handles after it
goes to both caches, what it handled before lies below the ends. So nothing is missed. 2. An event counts once in the new cache, and
`mall:handled` takes that knowledge along, so that the running service does not count again what the rebuild has counted.
3. The mark lives fifteen seconds and is renewed; without it nothing is swapped. A death leaves keys that the next rebuild deletes.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisAway
from redis.exceptions import TimeoutError as RedisSlow

from mall.cache.app import SERVICE, groups
from mall.cache.domain import day_of, last_days
from mall.cache.scripts import BUILDING, HANDLED, REBUILD_COUNT, REBUILD_PUT, STILL_OURS, SWAP
from mall.cache.store import DAY_KEPT_SECONDS, DEDUPE_SECONDS, RANKING, key_of_day
from mall.rebuilt import Change, History, RebuildBroken, RebuildRefused, Rebuilt, checked
from mall.redis import open_redis
from mall.service import Assembly
from mall_events.goods import GoodsUpdated, GoodsViewed, StockChanged
from mall_events.order import OrderCreated
from mall_events.user import UserRegistered
from treaty_runtime.clock import utcnow
from treaty_runtime.runtime import Runtime
from treaty_runtime.seek import Kind, Seek
from treaty_runtime.wiring.replaying import ReplayReport

MARK_MILLISECONDS, RENEWED_SECONDS = 15_000, 3.0
SWAP_SECONDS = 60.0
KINDS: Mapping[str, type[Any]] = {"goods": GoodsUpdated, "stock": StockChanged, "user": UserRegistered}
_LOST = "Redis has lost what the rebuild wrote, or its mark: the old cache stays. Rebuild again."


class NewCache:
    """What handlers of a rebuild write to."""

    def __init__(self, redis: Redis, token: str, *, today: Callable[[], date]) -> None:
        self._token, self._today = token, today
        self._put, self._count = redis.register_script(REBUILD_PUT), redis.register_script(REBUILD_COUNT)

    async def put(self, kind: str, item_id: int, *, version: int, fields: Mapping[str, str]) -> bool:
        """Keep what is newer, field by field."""
        arguments = [self._token, str(version), *(part for pair in fields.items() for part in pair)]
        return bool(await self._put(keys=[f"mall:{kind}:{item_id}"], args=arguments))

    async def warm(self, points: Mapping[int, int], *, event_id: UUID, day: date) -> bool:
        """Count an event once, if its day is still ranked."""
        if day < min(last_days(self._today())) - timedelta(days=1):
            return False
        pairs = [str(part) for pair in points.items() for part in pair]
        arguments: list[str | int] = [self._token, str(event_id), DAY_KEPT_SECONDS, *pairs]
        return bool(await self._count(keys=[key_of_day(day)], args=arguments))


async def rebuild(env: Mapping[str, str], *, despite_failures: bool, now: Callable[[], datetime] = utcnow) -> Rebuilt:
    """Make the cache anew. Raises RebuildRefused, and what the runtime raises when something is away."""
    parts = Assembly(SERVICE, env, metadata=None, now=now)
    token = uuid.uuid4().hex
    # Not tried again: a swap whose answer was lost must not be told as refused.
    async with open_redis(parts.settings.redis_url, answer_seconds=SWAP_SECONDS, retries=0) as redis:
        runtime = parts.runtime(groups(NewCache(redis, token, today=lambda: day_of(now()))))
        try:
            async with marked(redis, token):
                await clear(redis, token)
                history = History()
                report = await _retold(runtime, redis, token)
                history.learn(checked(report, despite_failures=despite_failures), now=now())
                change = await swap(redis, token, history)
        except (RedisAway, RedisSlow) as error:
            raise RebuildBroken(
                f"Redis is away ({error}): the old cache stays; rebuild again when it is back."
            ) from error
        finally:
            await runtime.stop()
    return Rebuilt(events=report.seen, changes=(change,))


async def _retold(runtime: Runtime, redis: Redis, token: str) -> ReplayReport:
    """Everything that lies in the topics now, while the mark is renewed; ends early when the mark is lost."""
    replay = asyncio.create_task(
        runtime.replay("cache-service", start=Seek(kind=Kind.START), end=Seek(kind=Kind.END), beyond_inbox=True)
    )
    renewal = asyncio.create_task(_renew(redis, token))
    try:
        await asyncio.wait((replay, renewal), return_when=asyncio.FIRST_COMPLETED)
        if renewal.done():
            renewal.result()
        return await replay
    finally:
        for task in (replay, renewal):
            task.cancel()
        await asyncio.gather(replay, renewal, return_exceptions=True)


async def _renew(redis: Redis, token: str) -> None:
    renew = redis.register_script(STILL_OURS)
    while await renew(keys=[BUILDING], args=[token, MARK_MILLISECONDS]):  # noqa: ASYNC110  # no event tells that a mark ages
        await asyncio.sleep(RENEWED_SECONDS)
    raise RebuildRefused(_LOST)


@asynccontextmanager
async def marked(redis: Redis, token: str) -> AsyncIterator[None]:
    """Within, the running service does everything twice. Raises RebuildRefused while another rebuild is marked."""
    if not await redis.set(BUILDING, token, nx=True, px=MARK_MILLISECONDS):
        raise RebuildRefused(
            "Another rebuild of the cache is at work, or was killed less than fifteen seconds ago; wait until it has ended."
        )
    try:
        yield
    except BaseException:
        with suppress(RedisAway, RedisSlow):  # the mark ages by itself, and what went wrong is to be told
            await redis.register_script(STILL_OURS)(keys=[BUILDING], args=[token, 1])
        raise


async def clear(redis: Redis, token: str) -> None:
    """Delete what rebuilds left that died."""
    async for key in redis.scan_iter(match="mall:new:*", count=1_000):
        if key != BUILDING and not str(key).startswith(f"mall:new:{token}:"):
            await redis.unlink(key)


async def swap(redis: Redis, token: str, history: History) -> Change:
    """The new cache becomes the one in use, in one step. Raises RebuildRefused where the mark was lost."""
    cut = [str(int(history.cut([event.__topic__]) is not None)) for event in KINDS.values()]
    ranked = history.cut([GoodsViewed.__topic__, OrderCreated.__topic__])
    partly = "" if ranked is None else f"{day_of(ranked):%Y%m%d}"
    if not await redis.register_script(STILL_OURS)(keys=[BUILDING], args=[token, int(SWAP_SECONDS * 1_000)]):
        raise RebuildRefused(_LOST)
    keys = [BUILDING, *(f"mall:{kind}" for kind in KINDS), HANDLED, RANKING, f"{RANKING}:fresh"]
    try:
        answer = await redis.register_script(SWAP)(keys=keys, args=[token, *cut, partly, DEDUPE_SECONDS])
    except (RedisAway, RedisSlow) as error:
        raise RebuildBroken(
            f"Redis did not answer the swap ({error}), which is whole or has not happened: rebuild again."
        ) from error
    put_in, taken_out, stayed = map(int, answer)
    if put_in < 0:
        raise RebuildRefused(_LOST)
    return Change(name="cache", put_in=put_in, taken_out=taken_out, stayed=stayed)
