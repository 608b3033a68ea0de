"""A source in memory whose reader is cancelled, as every task is when a loop ends before its time, or reads no further."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.parts.waiting import eventually
from tests.treaty_runtime.order_events import OrderCreated
from treaty_runtime.event import Context, Partition
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.transport import Assigned, Position, Revoking
from treaty_runtime.transport.memory import MemoryBroker, MemorySource
from treaty_runtime.wiring.connections import MemoryConnections

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


@pytest.mark.parametrize("takes_it", [False, True], ids=["never asked again", "taken and never answered"])
async def test_who_holds_the_events_and_reads_no_further_keeps_nobody_from_closing(*, takes_it: bool) -> None:
    broker = MemoryBroker(partitions=1)
    source = MemorySource(broker, group="g", topics=["t"], drain=timedelta(seconds=-5))  # no patience at all
    events = source.events()
    assert isinstance(await anext(events), Assigned)
    closing = asyncio.create_task(source.close())
    revoking = await anext(events) if takes_it else None
    async with asyncio.timeout(SECONDS):
        await closing
    if isinstance(revoking, Revoking):
        revoking.done({Partition("t", 0): Position(1)})
    assert (broker.group("g").members, broker.committed("g")) == ([], {}), "what comes too late is not committed"
    left = [event async for event in events]
    assert all(isinstance(event, Revoking) for event in left), "events end"


async def test_a_source_of_a_group_waits_as_long_as_the_group_drains() -> None:
    connections = MemoryConnections(MemoryBroker(partitions=1))
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def take(event: OrderCreated, context: Context) -> None:
        """Nothing comes."""

    source = connections.source(Group("g", handlers, dead_letter="dlq.g", drain=timedelta(seconds=-5)))
    events = source.events()
    assert isinstance(await anext(events), Assigned)
    closing = asyncio.create_task(source.close())
    for _ in range(100):  # turns of the loop, which take no time
        await asyncio.sleep(0)
    assert closing.done()
    await closing
