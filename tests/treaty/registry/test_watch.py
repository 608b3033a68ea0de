"""Whoever watches: one answer for all who wait, and no path that keeps another waiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.parts.waiting import eventually
from treaty.registry.errors import StoreUnavailable
from treaty.registry.http.answers import Answer
from treaty.registry.http.app import create_app
from treaty.registry.http.watch import AT_WORK, WAITING, Watch
from treaty.registry.settings import Limits, RegistrySettings
from treaty.registry.stores.memory import MemoryReader, MemoryStore

DEADLINE = 90


@pytest.fixture
def watch() -> Iterator[Watch]:
    """One that is closed."""
    made = Watch()
    yield made
    made.close()


def ready(_: object) -> Answer:
    """An answer at once."""
    return Answer(200, [], ())


class Held:
    """An answer that takes until it is let go."""

    def __init__(self) -> None:
        self.is_free, self.made = threading.Event(), 0

    def make(self, _: object) -> Answer:
        """Made so often."""
        self.made += 1
        assert self.is_free.wait(DEADLINE)
        return Answer(200, [], ())


def test_abandoned_requests_leave_one_answer_to_be_made_and_other_paths_answer(watch: Watch) -> None:
    """Twenty thousand of them for metrics kept readiness from being answered for as long as they were made."""
    held = Held()

    async def ask() -> list[Answer]:
        asked = [asyncio.ensure_future(watch.answer("/metrics", "", held.make, None)) for _ in range(1_000)]
        await asyncio.sleep(0)
        for each in asked[:-1]:
            each.cancel()
        try:
            assert (await watch.answer("/readyz", "", ready, None)).status == 200
        finally:
            held.is_free.set()
        return [await asked[-1]]

    assert [each.status for each in asyncio.run(ask())] == [200]
    assert held.made == 1


def test_more_kinds_of_answers_at_once_than_a_bound_are_put_off(watch: Watch) -> None:
    held = Held()

    async def ask() -> None:
        asked = [asyncio.ensure_future(watch.answer("/metrics", kind, held.make, None)) for kind in range(AT_WORK)]
        await asyncio.sleep(0)
        try:
            with pytest.raises(StoreUnavailable):
                await watch.answer("/metrics", AT_WORK, held.make, None)
        finally:
            held.is_free.set()
        assert len(await asyncio.gather(*asked)) == AT_WORK

    asyncio.run(ask())


def test_more_than_a_bound_wait_for_no_answer_of_one_path(watch: Watch) -> None:
    held = Held()

    async def ask() -> None:
        asked = [asyncio.ensure_future(watch.answer("/metrics", "", held.make, None)) for _ in range(WAITING)]
        await asyncio.sleep(0)
        try:
            with pytest.raises(StoreUnavailable):
                await watch.answer("/metrics", "", held.make, None)
            assert (await watch.answer("/readyz", "", ready, None)).status == 200
        finally:
            held.is_free.set()
        assert len(await asyncio.gather(*asked)) == WAITING
        assert (await watch.answer("/metrics", "", ready, None)).status == 200

    asyncio.run(ask())


class SlowReader(MemoryReader):
    """Waits before it counts."""

    held: Held

    def counts(self) -> tuple[int, int]:
        """As soon as it is let."""
        self.held.make(None)
        return super().counts()


class Slow(MemoryStore):
    """A store that counts what it holds only when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.held = Held()

    @contextmanager
    def read(self) -> Iterator[MemoryReader]:
        """A reader that waits before it counts."""
        reader = SlowReader(self._state)
        reader.held = self.held
        yield reader


def test_whoever_waits_for_metrics_counts_for_nobody_else() -> None:
    """As many as may be open at once, abandoned while a slow database counted, and every other request was put off."""
    store = Slow()
    app = create_app(store, settings=RegistrySettings(limits=Limits(open_requests=4)))

    async def ask() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://r") as client:
            waiting = [asyncio.ensure_future(client.get("/metrics")) for _ in range(20)]
            try:
                await eventually(lambda: store.held.made > 0)
                for path in ("/subjects", "/readyz", "/healthz"):
                    assert (await client.get(path)).status_code == 200, path
            finally:
                store.held.is_free.set()
            assert {each.status_code for each in await asyncio.gather(*waiting)} == {200}

    asyncio.run(ask())


def test_an_answer_is_made_anew_for_who_comes_after_it(watch: Watch) -> None:
    held = Held()
    held.is_free.set()

    async def ask() -> None:
        for _ in range(2):
            await watch.answer("/readyz", "", held.make, None)

    asyncio.run(ask())
    assert held.made == 2
