"""The lease of a delayed job is kept while the job runs and not a moment longer, whatever becomes of the cancellation of its keeper."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from datetime import datetime

import pytest

from tests.treaty_runtime.relaying import until
from treaty_runtime.delay import queue as delay_queue
from treaty_runtime.delay.due_times import Claim, Claimed
from treaty_runtime.delay.queue import DelayQueue, DelayWorkers
from treaty_runtime.delay.runner import Ended
from treaty_runtime.errors import Outage
from treaty_runtime.hooks import Hooks
from treaty_runtime.outages import Outages

QUEUE, JOB = "reminders", "a"
FEW, PATIENCE_SECONDS = 3, 60


class Due:
    """One claim of one job. To extend it swallows the first cancellation, as `asyncio.wait_for` of Python 3.11 may."""

    def __init__(self, *, is_ours: bool = True) -> None:
        self.extended, self.settled = 0, 0
        self.sending, self.enough = asyncio.Event(), asyncio.Event()
        self._is_ours, self._is_claimed = is_ours, False

    async def claim(self, _queue: str, **_: float) -> Claimed:
        claims = [] if self._is_claimed else [Claim(JOB, "1")]
        self._is_claimed = True
        return Claimed(claims, None)

    async def extend(self, _queue: str, _claim: Claim, **_: float) -> bool:
        self.extended += 1
        self.sending.set()
        if self.extended >= FEW:
            self.enough.set()
        try:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            return self._is_ours
        return self._is_ours

    async def acknowledge(self, _queue: str, _claim: Claim) -> bool:
        self.settled += 1
        return True

    async def again(self, _queue: str, _claim: Claim, *, due: datetime) -> bool:
        raise AssertionError(due)

    async def push(self, _queue: str, jobs: Iterable[tuple[str, datetime]], *, replace: bool = False) -> None:
        raise AssertionError(list(jobs), replace)

    async def may_sweep(self, _queue: str, **_: object) -> bool:
        return False

    async def close(self) -> None:
        pass


class Runner:
    """Runs the job until an event, then the database is away."""

    def __init__(self, until: asyncio.Event) -> None:
        self._until = until

    async def run(self, _queue: str, _job_id: str) -> Ended:
        await self._until.wait()
        raise Outage("away", dependency="database")


class NoJobs:
    """A table without jobs."""

    async def clean(self) -> int:
        return 0


def workers(due: Due, runner: Runner) -> DelayWorkers:
    hooks = Hooks([])
    return DelayWorkers(
        DelayQueue(workers={QUEUE: None}, due_times=due),  # type: ignore[arg-type,dict-item]  # no handler is called
        jobs=NoJobs(),  # type: ignore[arg-type]  # as much as is asked
        runner=runner,  # type: ignore[arg-type]  # likewise
        outages=Outages("delay", clock=time.monotonic, hooks=hooks),
        owner="w",
    )


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delay_queue, "LEASE_SECONDS", 0.03)


def keepers() -> list[asyncio.Task[object]]:
    return [task for task in asyncio.all_tasks() if getattr(task.get_coro(), "__name__", "") == "_extend"]


async def ended() -> None:
    async def has_none() -> bool:
        return not keepers()

    await until(has_none)


async def test_a_keeper_whose_cancellation_is_swallowed_ends_with_its_job() -> None:
    due = Due()
    crew = workers(due, Runner(due.sending))
    working = asyncio.create_task(crew.run())
    await due.sending.wait()
    await ended()
    known = due.extended
    await asyncio.sleep(0.1)  # ten more of its turns
    assert due.extended == known
    assert due.settled == 0
    crew.stop()
    await working


async def test_a_lease_is_extended_as_long_as_the_job_runs() -> None:
    due = Due()
    crew = workers(due, Runner(due.enough))
    working = asyncio.create_task(crew.run())
    async with asyncio.timeout(PATIENCE_SECONDS):
        await due.enough.wait()
    await ended()
    crew.stop()
    await working
    assert due.extended >= FEW


async def test_a_lease_that_is_another_processs_is_left_to_it() -> None:
    due, never = Due(is_ours=False), asyncio.Event()
    crew = workers(due, Runner(never))
    working = asyncio.create_task(crew.run())
    async with asyncio.timeout(PATIENCE_SECONDS):
        await due.sending.wait()
    await ended()
    assert due.extended == 1
    never.set()
    crew.stop()
    await working
