"""A commit in one process wakes the relay of another: a hint, never more."""

from __future__ import annotations

import asyncio

import pytest

from treaty_runtime.publish.hint import Hint
from treaty_runtime.sql import database


@pytest.mark.postgres
async def test_a_hint_reaches_another_process_and_a_burst_is_few(postgres: str) -> None:
    engines = [database.open_engine(postgres) for _ in range(2)]
    sender, receiver = (Hint(engine) for engine in engines)
    heard: asyncio.Queue[None] = asyncio.Queue()
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(sender.run(lambda: None)),
            group.create_task(receiver.run(lambda: heard.put_nowait(None))),
        ]
        async with asyncio.timeout(90):
            while heard.empty():  # the listener may not listen yet: a hint that nobody hears is lost
                sender.send()
                await asyncio.sleep(0.02)
            for _ in range(1000):
                sender.send()
            await heard.get()
        for task in tasks:
            task.cancel()
    assert heard.qsize() < 20
    for engine in engines:
        await engine.dispose()


async def test_sqlite_needs_no_hint_and_ends_at_once() -> None:
    engine = database.open_engine("sqlite://")
    hint = Hint(engine)
    hint.send()
    await asyncio.wait_for(hint.run(lambda: None), 90)
    await engine.dispose()
