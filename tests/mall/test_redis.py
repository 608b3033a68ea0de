"""The way to Redis: so many connections and no more, however many ask at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisAway

from mall import redis as way
from mall.redis import CONNECTIONS, open_all, open_redis
from treaty.local.ports import LOOPBACK, free_port


async def test_however_many_ask_connections_are_few_and_all_are_answered(redis: str) -> None:
    async with open_redis(redis) as client:
        answers = await asyncio.gather(*(client.set(f"key-{number}", number) for number in range(500)))
        assert all(answers)
        pool: Any = client.connection_pool
        assert 1 < len(pool._available_connections) <= CONNECTIONS
        values = await asyncio.gather(*(client.get(f"key-{number}") for number in range(500)))
        assert values == [str(number) for number in range(500)]


async def test_who_comes_to_no_connection_in_time_is_told_that_redis_is_away(
    redis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(way, "CONNECTIONS", 1)
    monkeypatch.setattr(way, "ANSWER_SECONDS", 0.1)
    async with open_redis(redis) as client:
        pool: Any = client.connection_pool
        taken = await pool.get_connection()
        with pytest.raises(RedisAway):
            await client.get("key")
        await pool.release(taken)
        await client.get("key")


async def test_all_connections_are_opened_at_once(redis: str) -> None:
    async with open_redis(redis) as client:
        await open_all(client)
        pool: Any = client.connection_pool
        opened = set(pool._available_connections)
        assert len(opened) == CONNECTIONS
        await asyncio.gather(*(client.set(f"key-{number}", number) for number in range(500)))
        assert set(pool._available_connections) == opened


async def test_a_redis_that_is_away_keeps_nobody_from_starting() -> None:
    async with open_redis(f"redis://{LOOPBACK}:{free_port()}/0") as client:
        await open_all(client)
        with pytest.raises(RedisAway):
            await client.get("key")
