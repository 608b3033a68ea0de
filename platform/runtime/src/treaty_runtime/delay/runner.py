"""Run one delayed job: the mark that it is done and its effects share a transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from treaty_runtime.delay.jobs import DelayedJobs, Taken
from treaty_runtime.errors import PROCESS_ENDS, HandlerBroke, HandlerCancelled, NoSession, Outage
from treaty_runtime.event import Event, Schedule, Stage
from treaty_runtime.hooks import Hooks, JobRun
from treaty_runtime.job import Job
from treaty_runtime.retry import CONFLICTS_AT_ONCE, RetryPolicy
from treaty_runtime.sql.database import is_away, is_conflict, is_locked, is_passing, kept_open


@dataclass(frozen=True, slots=True, kw_only=True)
class JobContext:
    """What a job's handler may use: the session of its transaction, and what goes with it."""

    session: Any
    attempt: int
    stager: Stage | None = None
    scheduler: Schedule | None = None

    def stage(self, event: Event, *, key: str | None = None, headers: Mapping[str, bytes] | None = None) -> UUID:
        """Stage an event in the job's transaction; answer its id."""
        if self.stager is None:
            raise NoSession
        return self.stager(self.session, event, key=key, headers=headers)

    def schedule(self, job: Job, *, replace: bool = False) -> None:
        """Schedule another job in the job's transaction."""
        if self.scheduler is None:
            raise NoSession
        self.scheduler(self.session, job, replace=replace)


JobHandler = Callable[[Job, JobContext], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a look at a job ended: `done`, `failed`, `retried`, `duplicate` or `early` (or another's just now); `due`: look again then."""

    outcome: str
    due: datetime | None = None


class JobRunner:
    """Runs the jobs of some queues. `random` gives numbers in [0, 1), `clock` is monotonic, in seconds."""

    def __init__(
        self,
        handlers: Mapping[str, JobHandler],
        *,
        jobs: DelayedJobs,
        sessions: async_sessionmaker[Any],
        retry: RetryPolicy,
        timeout: timedelta,
        random: Callable[[], float],
        clock: Callable[[], float],
        hooks: Hooks,
        stage: Stage | None = None,
        schedule: Schedule | None = None,
    ) -> None:
        self._handlers, self._jobs, self._sessions = handlers, jobs, sessions
        self._retry, self._timeout, self._random = retry, timeout, random
        self._clock, self._hooks, self._stage, self._schedule = clock, hooks, stage, schedule

    async def run(self, queue: str, job_id: str) -> Ended:
        """Run the job if it is due and not done. Raises Outage while the database, or what the handler needs, is away."""
        started = self._clock()
        ended = await self._run(queue, job_id)
        if ended.outcome != "early":
            seconds = self._clock() - started
            self._hooks(JobRun(queue=queue, job_id=job_id, outcome=ended.outcome, seconds=seconds))
        return ended

    async def _run(self, queue: str, job_id: str) -> Ended:
        for conflicts in range(CONFLICTS_AT_ONCE + 1):
            try:
                return await self._once(queue, job_id, is_last=conflicts == CONFLICTS_AT_ONCE)
            except (DBAPIError, PoolTimeout, PendingRollbackError) as error:
                if is_away(error) or is_locked(error):
                    raise Outage(f"The database is away: {error}", dependency="database") from error
                if not is_conflict(error):
                    raise
        raise Outage("The database is too busy to take a job.", dependency="database")

    async def _once(self, queue: str, job_id: str, *, is_last: bool) -> Ended:
        """A conflict in the ``is_last`` run is the handler's failure: who loses each time is at fault."""
        async with self._sessions() as session:
            taken = await self._jobs.take(session, queue=queue, job_id=job_id)
            if taken is None:
                return Ended("duplicate")
            if not isinstance(taken, Taken):
                return Ended("early", taken)
            failure = await self._handle(taken, session, is_last=is_last)
            if failure is None:
                return Ended("done")
            await session.rollback()
        return await self._failed(taken, failure)

    async def _handle(self, taken: Taken, session: AsyncSession, *, is_last: bool) -> Exception | None:
        context = JobContext(session=session, attempt=taken.attempt, stager=self._stage, scheduler=self._schedule)
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                with kept_open(session):
                    await self._handlers[taken.job.queue](taken.job, context)
            await session.commit()
        except Outage:
            raise
        except asyncio.CancelledError:
            if _is_being_cancelled():
                raise
            return HandlerCancelled()
        except PROCESS_ENDS:
            raise
        except BaseException as error:
            if isinstance(error, Exception) and is_passing(error) and not (is_conflict(error) and is_last):
                raise
            return error if isinstance(error, Exception) else HandlerBroke(error)
        return None

    async def _failed(self, taken: Taken, failure: Exception) -> Ended:
        delay = self._retry.delay(taken.attempt, failure, self._random())
        if delay is None:
            await self._jobs.give_up(taken)
            return Ended("failed")
        due = await self._jobs.later(taken, seconds=delay.after.total_seconds())
        return Ended("retried", due)


def _is_being_cancelled() -> bool:
    """Whether the job itself is cancelled, and not something that its handler awaited."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
