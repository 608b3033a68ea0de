"""How often somebody may do something, with Redis and without."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from mall.errors import TooManyRequests
from mall.limits import Limits
from tests.mall.counter import Clock


async def spend(limits: Limits, times: int, *, name: str = "post:7") -> int:
    spent = 0
    for _ in range(times):
        try:
            await limits.spend(name, per_minute=3)
        except TooManyRequests:
            continue
        spent += 1
    return spent


async def test_two_processes_share_a_limit_through_redis(redis: str, clock: Clock) -> None:
    async with Redis.from_url(redis) as client:
        first, second = Limits(client, now=clock), Limits(client, now=clock)
        assert await spend(first, 2) + await spend(second, 5) == 3
        assert await spend(first, 1, name="post:8") == 1
        clock.move(minutes=1)
        assert await spend(second, 4) == 3


@pytest.mark.parametrize("has_redis", [False, True])
async def test_without_redis_a_process_counts_for_itself(has_redis: bool, port: int, clock: Clock) -> None:
    client = Redis.from_url(f"redis://127.0.0.1:{port}/0") if has_redis else None
    limits = Limits(client, now=clock)
    assert await spend(limits, 5) == 3
    clock.move(minutes=1)
    assert await spend(limits, 5) == 3
    if client:
        await client.aclose()
