"""A source in memory whose reader is cancelled, as every task is when a loop ends before its time."""

from __future__ import annotations

import asyncio

import pytest

from tests.parts.waiting import eventually
from treaty_runtime.transport.memory import MemoryBroker, MemorySource

SECONDS = 90


@pytest.mark.parametrize("is_closing", [False, True], ids=["before it is closed", "while it is closed"])
async def test_nobody_waits_for_a_reader_that_was_cancelled(*, is_closing: bool) -> None:
    broker = MemoryBroker()
    source = MemorySource(broker, group="g", topics=["t"])
    seen: list[object] = []

    async def read() -> None:
        async for event in source.events():
            seen.append(event)
            if len(seen) > 1:
                await asyncio.Event().wait()  # it takes what is to be given back, and never does

    reading = asyncio.create_task(read())
    await eventually(lambda: len(seen) == 1)
    closing = asyncio.create_task(source.close())
    if is_closing:
        await eventually(lambda: len(seen) == 2)
    reading.cancel()
    async with asyncio.timeout(SECONDS):
        await asyncio.gather(reading, closing, return_exceptions=True)
    assert (reading.cancelled(), broker.group("g").members) == (True, [])
