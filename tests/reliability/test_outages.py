"""Waiting for what was committed ends: after a stop, and after long enough."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from tests.reliability import evidence
from tests.reliability.outages import Outages
from tests.reliability.stack import Stack

EVENTS = 10_000


async def test_progress_that_is_far_too_slow_is_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    def one_less(_database: str, events: Iterable[str]) -> set[str]:
        return set(list(events)[1:])

    monkeypatch.setattr(evidence, "without_effect", one_less)
    stack = Stack(bootstrap="127.0.0.1:1", database="postgresql+psycopg://127.0.0.1:1/none")
    outages = Outages(stack, (), postgres=1, redis=1, registry=1, seconds=1, seed=1, patience=0.1)
    outages._staged = [("o-1", number, str(number), "ok") for number in range(EVENTS)]
    await asyncio.wait_for(outages._caught_up(), 60)
    (told,) = outages._wrong
    assert told.startswith("no-progress after nothing: ")
