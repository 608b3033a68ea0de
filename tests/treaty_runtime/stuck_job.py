"""A delay worker that makes its effect, says so, and never commits: `python -m … DATABASE_URL REDIS_URL`."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker

from treaty_runtime.delay.jobs import DelayedJobs
from treaty_runtime.delay.queue import DelayQueue, DelayWorkers
from treaty_runtime.delay.redis import RedisDelays
from treaty_runtime.delay.runner import JobContext, JobRunner
from treaty_runtime.hooks import Hooks
from treaty_runtime.job import Job
from treaty_runtime.outages import Outages
from treaty_runtime.retry import RetryPolicy
from treaty_runtime.sql import database


async def handle(job: Job, context: JobContext) -> None:
    """Stop short of the commit."""
    await context.session.execute(text("INSERT INTO ran VALUES (:id)"), {"id": job.id})
    print("inside", flush=True)
    await asyncio.Event().wait()


async def main(database_url: str, redis_url: str) -> None:
    """Work on the queue until killed."""
    engine, hooks = database.open_engine(database_url), Hooks()
    jobs = DelayedJobs(engine)
    queue = DelayQueue(
        workers={"order-timeout": handle}, due_times=RedisDelays.open(redis_url), sweep_every=timedelta(seconds=0.1)
    )
    runner = JobRunner(
        queue.workers,
        jobs=jobs,
        sessions=async_sessionmaker(engine),
        retry=RetryPolicy(),
        timeout=queue.timeout,
        random=random.random,
        clock=time.monotonic,
        hooks=hooks,
    )
    outages = Outages("delay", clock=time.monotonic, hooks=hooks)
    await DelayWorkers(queue, jobs=jobs, runner=runner, outages=outages, owner="stuck").run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
