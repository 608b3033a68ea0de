"""Waiting for what was committed ends: after a stop, and after long enough."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from tests.reliability import evidence
from tests.reliability.outages import Outages
from tests.reliability.stack import Stack

EVENTS = 10_000


async def test_progress_that_is_far_too_slow_is_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[SimpleNamespace] = []

    def one_more(_database: str) -> list[SimpleNamespace]:
        done.append(SimpleNamespace(event_id=str(len(done))))
        return done

    monkeypatch.setattr(evidence, "effects", one_more)
    stack = Stack(bootstrap="127.0.0.1:1", database="postgresql+psycopg://127.0.0.1:1/none")
    outages = Outages(stack, (), postgres=1, redis=1, registry=1, seconds=1, seed=1, patience=0.1)
    outages._staged = [("o-1", number, str(number), "ok") for number in range(EVENTS)]
    await asyncio.wait_for(outages._caught_up(), 60)
    (told,) = outages._wrong
    assert told.startswith("no-progress after nothing: ")
