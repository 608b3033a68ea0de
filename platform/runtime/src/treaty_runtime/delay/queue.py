"""Workers of delayed jobs: Redis says when to look, the table says whether to run, one transaction does both."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from treaty_runtime.delay.breaker import Breaker
from treaty_runtime.delay.due_times import LEASE_SECONDS, Claim, DueTimes
from treaty_runtime.delay.jobs import DelayedJobs
from treaty_runtime.delay.runner import Ended, JobHandler, JobRunner
from treaty_runtime.errors import Outage
from treaty_runtime.job import Job
from treaty_runtime.outages import Outages
from treaty_runtime.retry import RetryPolicy
from treaty_runtime.sql.database import is_waited_out
from treaty_runtime.sql.forgetting import PORTION

T = TypeVar("T")

PULSE_SECONDS = 1.0
"""The longest pause between two looks, and the pace of polling the table while Redis is away."""

MOST_ASIDE = 10_000
"""How many jobs of a queue, about, are left alone at most: the table is told of them at each look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayQueue:
    """Which queues a service works on, and how.

    `due_times` (`RedisDelays.open(url)`, or `RedisDelays(client)`) says when to look; None: the table alone, each second.
    """

    workers: Mapping[str, JobHandler]
    due_times: DueTimes | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    at_once: int = 8
    timeout: timedelta = timedelta(seconds=60)
    sweep_every: timedelta = timedelta(seconds=60)


class DelayWorkers:
    """Runs the queues until stopped; any number of processes share them. `owner` names this one."""

    def __init__(
        self, queue: DelayQueue, *, jobs: DelayedJobs, runner: JobRunner, outages: Outages, owner: str
    ) -> None:
        self._queue, self._jobs, self._runner, self._owner = queue, jobs, runner, owner
        self._due_times = Breaker(queue.due_times) if queue.due_times is not None else None
        self.outages, self.queues = outages, tuple(queue.workers)
        self._new: deque[tuple[Job, bool]] = deque()
        self._scheduled = asyncio.Event()
        self._woken = {name: asyncio.Event() for name in queue.workers}
        self._stopping = asyncio.Event()
        self._running: set[tuple[str, str]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        self._away: defaultdict[str, set[str]] = defaultdict(set)
        """What handlers of a queue found away: one that succeeds says that it is back."""
        self._aside: defaultdict[str, dict[str, float]] = defaultdict(dict)
        """Jobs found in the table that ended neither done nor failed, and until when (by the loop's clock) they are left alone."""
        self._loop: asyncio.AbstractEventLoop | None = None

    def committed(self, job: Job, replaced: bool) -> None:
        """A transaction scheduled this job; safe from any thread."""
        self._new.append((job, replaced))
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._scheduled.set)

    def stop(self) -> None:
        """Take no more jobs; `run` returns when those under way have ended, after ten seconds at most."""
        self._stopping.set()
        for event in (self._scheduled, *self._woken.values()):
            event.set()

    async def run(self) -> None:
        """Work until stopped. Outages are waited out; anything else is a bug and is raised."""
        self._loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._push())
            group.create_task(self._sweep())
            for name in self._queue.workers:
                group.create_task(self._work(name))
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=10)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._due_times is not None:
            await self._due_times.close()
        if self._failure is not None:
            raise self._failure

    async def _work(self, name: str) -> None:
        while not self._stopping.is_set():
            self._woken[name].clear()
            free = self._queue.at_once - sum(1 for queue, _ in self._running if queue == name)
            pause = await self._look(name, free) if free else PULSE_SECONDS
            await self._pause(self._woken[name], pause)

    async def _look(self, name: str, free: int) -> float:
        """Start what is due; answer in how many seconds to look again."""
        if self._due_times is not None:
            try:
                claimed = await self._due_times.claim(name, limit=free)
            except Outage as error:
                self.outages.began(error.dependency, error=str(error))
            else:
                self.outages.ended("redis")
                for claim in claimed.claims:
                    self._start(name, claim.job_id, claim)
                return 0 if claimed.claims else min(PULSE_SECONDS, claimed.next_seconds or PULSE_SECONDS)
        if len(besides := self._besides(name)) < MOST_ASIDE:
            for job_id in await self._asked(partial(self._jobs.ready, name, besides=besides, limit=free)) or ():
                self._start(name, job_id, None)
        return PULSE_SECONDS

    def _besides(self, name: str) -> set[str]:
        now = asyncio.get_running_loop().time()
        aside = self._aside[name] = {job_id: until for job_id, until in self._aside[name].items() if until > now}
        return {*aside, *(job_id for queue, job_id in self._running if queue == name)}

    def _set_aside(self, queue: str, job_id: str, claim: Claim | None, *, seconds: float) -> None:
        # A claim's end brings the job back. Without one it would come back at once, before all that are due later.
        if claim is None:
            self._aside[queue][job_id] = asyncio.get_running_loop().time() + seconds

    def _start(self, queue: str, job_id: str, claim: Claim | None) -> None:
        if (queue, job_id) in self._running:
            return
        self._running.add((queue, job_id))
        task = asyncio.create_task(self._run(queue, job_id, claim))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = self._failure or error
            self.stop()

    async def _run(self, queue: str, job_id: str, claim: Claim | None) -> None:
        due_times = self._due_times
        lease = asyncio.create_task(self._extend(due_times, queue, claim)) if claim and due_times else None
        try:
            ended = await self._runner.run(queue, job_id)
        except Outage as error:
            self.outages.began(error.dependency, error=str(error))
            self._away[queue].add(error.dependency)
            is_ours = error.dependency == "database"  # often a moment's lock; while it is away, nothing is looked for
            self._set_aside(queue, job_id, claim, seconds=PULSE_SECONDS if is_ours else LEASE_SECONDS)
            return
        except (DBAPIError, PoolTimeout) as error:  # it took longer than the server allows, or a table is gone
            self.outages.began("database", error=str(error))
            self._set_aside(queue, job_id, claim, seconds=PULSE_SECONDS)
            return
        finally:
            self._running.discard((queue, job_id))
            self._woken[queue].set()
            if lease is not None:
                lease.cancel()
        self.outages.ended("database")
        if ended.outcome == "done":
            for dependency in self._away.pop(queue, ()):
                self.outages.ended(dependency)
        if claim is not None and due_times is not None:
            if (
                ended.outcome == "early"
            ):  # by the database's clock; Redis, whose own is ahead, would hand it out again at once
                await asyncio.sleep(PULSE_SECONDS)
            await self._settle(due_times, queue, claim, ended)

    async def _settle(self, due_times: DueTimes, queue: str, claim: Claim, ended: Ended) -> None:
        with contextlib.suppress(Outage):
            if ended.due is None:
                await due_times.acknowledge(queue, claim)
            else:
                await due_times.again(queue, claim, due=ended.due)

    async def _extend(self, due_times: DueTimes, queue: str, claim: Claim) -> None:
        # It looks whether the job still runs: Redis' client sends by `asyncio.wait_for`, which swallows a cancellation that comes as it
        # ends (Python 3.11). One that went on would keep the lease of a job that failed, and nobody would run it again.
        is_ours = True
        while is_ours and (queue, claim.job_id) in self._running:
            await asyncio.sleep(LEASE_SECONDS / 3)
            with contextlib.suppress(Outage):
                is_ours = await due_times.extend(queue, claim)

    async def _push(self) -> None:
        """Tell Redis of committed jobs; what it misses, the sweeper brings."""
        while not self._stopping.is_set():
            self._scheduled.clear()
            while self._new:
                job, replaced = self._new.popleft()
                if self._due_times is not None:
                    with contextlib.suppress(Outage):
                        await self._due_times.push(job.queue, [(job.id, job.due)], replace=replaced)
                if job.queue in self._woken:
                    self._woken[job.queue].set()
            await self._pause(self._scheduled, PULSE_SECONDS)

    async def _sweep(self) -> None:
        period = self._queue.sweep_every.total_seconds()
        while not self._stopping.is_set():
            for queue in self._queue.workers:
                await self._asked(partial(self._sweep_one, queue, period))
            await self._clean()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(period):
                    await self._stopping.wait()

    async def _clean(self) -> None:
        gone: int | None = PORTION
        while gone == PORTION and not self._stopping.is_set():
            gone = await self._asked(self._jobs.clean)

    async def _sweep_one(self, queue: str, period: float) -> bool:
        if self._due_times is None:
            return False
        with contextlib.suppress(Outage):
            if await self._due_times.may_sweep(queue, owner=self._owner, seconds=period * 0.9):
                await self._due_times.push(queue, await self._jobs.due(queue, within=2 * period, limit=10_000))
        return True

    async def _asked(self, work: Callable[[], Awaitable[T]]) -> T | None:
        """What the database answered; None if it is away."""
        try:
            answer = await work()
        except (DBAPIError, PoolTimeout) as error:
            if not is_waited_out(error):
                raise
            self.outages.began("database", error=str(error))
            return None
        self.outages.ended("database")
        return answer

    async def _pause(self, event: asyncio.Event, seconds: float) -> None:
        if not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await event.wait()
