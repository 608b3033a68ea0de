"""A store of due times that does not answer is asked once in a while, and not before each look."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from treaty_runtime.delay.breaker import REST_SECONDS, Breaker
from treaty_runtime.delay.due_times import Claim, Claimed
from treaty_runtime.errors import Outage

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


class Store:
    """Answers, or is away; counts what it was asked."""

    def __init__(self) -> None:
        self.is_away, self.asked = False, list[str]()

    def __getattr__(self, name: str) -> Any:
        async def ask(*_: object, **__: object) -> object:
            self.asked.append(name)
            if self.is_away:
                raise Outage("no answer", dependency="redis")
            return Claimed([], None) if name == "claim" else True

        return ask


async def test_every_question_reaches_a_store_that_answers() -> None:
    store = Store()
    breaker, claim = Breaker(store), Claim("a", "1")
    await breaker.push("q", [("a", NOW)])
    assert await breaker.claim("q", limit=1) == Claimed([], None)
    assert await breaker.extend("q", claim)
    assert await breaker.acknowledge("q", claim)
    assert await breaker.again("q", claim, due=NOW)
    assert await breaker.may_sweep("q", owner="w", seconds=1)
    await breaker.close()
    assert store.asked == ["push", "claim", "extend", "acknowledge", "again", "may_sweep", "close"]


async def test_a_store_that_did_not_answer_is_left_alone_for_a_while() -> None:
    store, now = Store(), [100.0]
    breaker = Breaker(store, clock=lambda: now[0])
    store.is_away = True
    for _ in range(3):
        with pytest.raises(Outage, match="no answer") as away:
            await breaker.claim("q", limit=1)
        assert away.value.dependency == "redis"
    assert store.asked == ["claim"]
    now[0] += REST_SECONDS
    store.is_away = False
    await breaker.claim("q", limit=1)
    await asyncio.gather(*(breaker.extend("q", Claim("a", "1")) for _ in range(2)))
    assert len(store.asked) == 4
