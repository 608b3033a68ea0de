"""Delayed jobs with everything around them, made in one call."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from treaty_runtime.delay.jobs import DelayedJobs
from treaty_runtime.delay.queue import DelayQueue, DelayWorkers
from treaty_runtime.delay.redis import RedisDelays
from treaty_runtime.delay.runner import JobContext, JobRunner
from treaty_runtime.delay.schedule import Scheduler
from treaty_runtime.hooks import Hooks, JobRun
from treaty_runtime.job import Job
from treaty_runtime.outages import Outages
from treaty_runtime.retry import RetryPolicy

QUEUE = "order-timeout"


@dataclass
class Workplace:
    """A database, a Redis, and workers that count what they did in a table without uniqueness."""

    engine: AsyncEngine
    redis: str
    retry: RetryPolicy = field(default_factory=lambda: RetryPolicy(delays=("10ms", "10ms"), jitter=0))
    seen: list[object] = field(default_factory=list)
    early: list[timedelta] = field(default_factory=list)
    failing: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Builds what needs the engine."""
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self.scheduler = Scheduler()
        self.jobs = DelayedJobs(self.engine)

    async def handle(self, job: Job, context: JobContext) -> None:
        """Count the run in the job's transaction."""
        now = datetime.now(UTC)
        if now < job.due:
            self.early.append(job.due - now)
        await context.session.execute(text("INSERT INTO ran VALUES (:id)"), {"id": job.id})
        if job.id in self.failing:
            raise ZeroDivisionError

    def workers(self, *, sweep_every: float = 60.0) -> DelayWorkers:
        """Workers of one process."""
        hooks = Hooks([self.seen.append])
        queue = DelayQueue(
            workers={QUEUE: self.handle},
            due_times=RedisDelays.open(self.redis),
            retry=self.retry,
            sweep_every=timedelta(seconds=sweep_every),
        )
        runner = JobRunner(
            queue.workers,
            jobs=self.jobs,
            sessions=self.sessions,
            retry=queue.retry,
            timeout=queue.timeout,
            random=random.random,
            clock=time.monotonic,
            hooks=hooks,
        )
        outages = Outages("delay", clock=time.monotonic, hooks=hooks)
        workers = DelayWorkers(queue, jobs=self.jobs, runner=runner, outages=outages, owner="w")
        self.scheduler.on_commit(workers.committed)
        return workers

    async def schedule(self, *job_ids: str, after: float = 0.0, replace: bool = False) -> None:
        """Schedule jobs due in so many seconds, in one transaction."""
        due = datetime.now(UTC) + timedelta(seconds=after)
        async with self.sessions.begin() as session:
            for job_id in job_ids:
                self.scheduler.schedule(session, Job(queue=QUEUE, id=job_id, due=due), replace=replace)

    async def ran(self) -> list[str]:
        """Ids of the jobs that ran and committed, repeats included."""
        async with self.sessions() as session:
            return sorted((await session.scalars(text("SELECT id FROM ran"))).all())

    def outcomes(self) -> list[str]:
        """How the looks at jobs ended, in order: a sweep that read the table before a job ended adds a `duplicate`."""
        return [hook.outcome for hook in self.seen if isinstance(hook, JobRun)]


@asynccontextmanager
async def running(*workers: DelayWorkers) -> AsyncIterator[None]:
    """Works until the block ends."""
    async with asyncio.TaskGroup() as group:
        for worker in workers:
            group.create_task(worker.run())
        try:
            yield
        finally:
            for worker in workers:
                worker.stop()
