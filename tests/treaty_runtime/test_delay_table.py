"""Delayed jobs by the table alone: any number of processes share it, and no job stands before the others."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from tests.treaty_runtime.relaying import until
from tests.treaty_runtime.workplace import running
from treaty_runtime.delay import queue as delay_queue
from treaty_runtime.delay.due_times import Claim, Claimed, DueTimes
from treaty_runtime.delay.jobs import DelayedJobs, Taken
from treaty_runtime.delay.queue import DelayQueue, DelayWorkers
from treaty_runtime.delay.runner import JobContext, JobHandler, JobRunner
from treaty_runtime.delay.schedule import Scheduler
from treaty_runtime.errors import Outage
from treaty_runtime.hooks import Hooks
from treaty_runtime.job import Job
from treaty_runtime.outages import Outages
from treaty_runtime.sql import database as runtime_database

QUEUE = "reminders"


@pytest.fixture
async def server(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a PostgreSQL that has the runtime's tables."""
    engine = runtime_database.open_engine(postgres)
    await runtime_database.create(engine)
    yield engine
    await engine.dispose()


def process(
    engine: AsyncEngine, handle: JobHandler, *, at_once: int = 1, due_times: DueTimes | None = None
) -> DelayWorkers:
    """Workers of one process, without Redis unless there are due times."""
    queue = DelayQueue(workers={QUEUE: handle}, at_once=at_once, due_times=due_times)
    jobs, hooks = DelayedJobs(engine), Hooks()
    runner = JobRunner(
        queue.workers,
        jobs=jobs,
        sessions=async_sessionmaker(engine, expire_on_commit=False),
        retry=queue.retry,
        timeout=queue.timeout,
        random=random.random,
        clock=time.monotonic,
        hooks=hooks,
    )
    outages = Outages("delay", clock=time.monotonic, hooks=hooks)
    return DelayWorkers(queue, jobs=jobs, runner=runner, outages=outages, owner="w")


async def schedule(engine: AsyncEngine, *job_ids: str) -> None:
    """Jobs that are due, one after the other."""
    now, scheduler = datetime.now(UTC), Scheduler()
    async with async_sessionmaker(engine).begin() as session:
        for age, job_id in enumerate(reversed(job_ids), start=1):
            scheduler.schedule(session, Job(queue=QUEUE, id=job_id, due=now - timedelta(seconds=age)))


@pytest.mark.postgres
async def test_a_second_process_runs_what_the_first_has_no_hands_for(server: AsyncEngine) -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def long(_: Job, __: JobContext) -> None:
        began.set()
        await ended.wait()

    async def short(job: Job, _: JobContext) -> None:
        assert job.id == "b"
        ended.set()

    await schedule(server, "a", "b")
    async with running(process(server, long)):
        await until(began.is_set)
        async with running(process(server, short)):
            await until(ended.is_set)


@pytest.mark.postgres
async def test_a_look_that_the_server_cuts_off_is_repeated(server: AsyncEngine, postgres: str) -> None:
    impatient = runtime_database.open_engine(f"{postgres}?options=-cstatement_timeout%3D100")
    cut_off, ran = list[object](), asyncio.Event()
    event.listen(impatient.sync_engine, "handle_error", lambda context: cut_off.append(context.original_exception))

    async def handle(_: Job, __: JobContext) -> None:
        ran.set()

    await schedule(server, "a")
    async with server.begin() as migration:
        await migration.execute(text("LOCK TABLE delayed IN ACCESS EXCLUSIVE MODE"))
        working = asyncio.create_task((workers := process(impatient, handle)).run())
        await until(lambda: cut_off)
    await until(lambda: ran.is_set() or working.done())
    workers.stop()
    await working
    await impatient.dispose()


@pytest.mark.postgres
async def test_a_job_that_another_runs_is_looked_at_again_in_a_second(server: AsyncEngine) -> None:
    """Not at once: a claim of Redis would come again and again until the other has ended."""
    await schedule(server, "a")
    jobs, sessions = DelayedJobs(server), async_sessionmaker(server)
    async with sessions() as first:
        assert isinstance(await jobs.take(first, queue=QUEUE, job_id="a"), Taken)
        assert await jobs.ready(QUEUE, besides=(), limit=9) == []
        before = await first.scalar(select(func.clock_timestamp()))
        async with asyncio.timeout(60), sessions() as second:
            again = await jobs.take(second, queue=QUEUE, job_id="a")
    assert isinstance(again, datetime)
    assert before is not None
    assert again > before + timedelta(seconds=1)
    async with sessions() as session:
        assert isinstance(await jobs.take(session, queue=QUEUE, job_id="a"), Taken), "nothing was committed"


async def test_processes_that_share_the_table_run_each_job_once(database: AsyncEngine) -> None:
    names = [f"o-{number:02}" for number in range(40)]

    async def handle(job: Job, context: JobContext) -> None:
        await context.session.execute(text("INSERT INTO ran VALUES (:id)"), {"id": job.id})

    async def ran() -> list[str]:
        async with database.connect() as connection:
            return sorted((await connection.scalars(text("SELECT id FROM ran"))).all())

    async def is_all_done() -> bool:
        return not await DelayedJobs(database).pending()

    async with database.begin() as connection:
        await connection.execute(text("CREATE TABLE ran (id varchar(255))"))
    await schedule(database, *names)
    async with running(*(process(database, handle, at_once=4) for _ in range(3))):
        await until(is_all_done)
    assert await ran() == names


async def test_jobs_whose_dependency_is_away_let_those_behind_them_pass(
    database: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delay_queue, "LEASE_SECONDS", 3_600)
    tried = list[str]()

    async def handle(job: Job, _: JobContext) -> None:
        tried.append(job.id)
        if job.id != "good":
            raise Outage(dependency="shop")

    await schedule(database, "away-1", "away-2", "away-3", "good")
    async with running(process(database, handle)):
        await until(lambda: "good" in tried)
    assert len(tried) == len(set(tried)), "each is left alone for as long as a claim would last"


async def test_a_job_whose_dependency_was_away_comes_again(
    database: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delay_queue, "LEASE_SECONDS", 0.05)
    tried = list[str]()

    async def handle(job: Job, _: JobContext) -> None:
        tried.append(job.id)
        if len(tried) == 1:
            raise Outage(dependency="shop")

    await schedule(database, "a")
    async with running(process(database, handle)):
        await until(lambda: tried == ["a", "a"])


async def test_a_job_that_ends_its_transaction_or_breaks_has_failed_and_its_workers_go_on(
    database: AsyncEngine,
) -> None:
    class PanicException(BaseException):
        """As extensions in Rust raise it."""

    ran = list[str]()

    async def handle(job: Job, context: JobContext) -> None:
        ran.append(job.id)
        if job.id == "commits":
            await context.session.commit()
        elif job.id == "rolls back":
            await context.session.rollback()
        elif job.id == "panics":
            raise PanicException("called unwrap on None")

    await schedule(database, "commits", "rolls back", "panics", "good")
    async with running(process(database, handle)):
        await until(lambda: "good" in ran)
    async with database.connect() as connection:
        failed = await connection.execute(text("SELECT id FROM delayed WHERE attempts = 1 AND done_at IS NULL"))
        assert {row.id for row in failed} == {"commits", "rolls back", "panics"}


async def test_a_moment_without_the_database_keeps_a_job_away_for_a_moment(
    database: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock that another holds is told so too: half a minute would be long for it."""
    monkeypatch.setattr(delay_queue, "LEASE_SECONDS", 3_600)
    monkeypatch.setattr(delay_queue, "PULSE_SECONDS", 0.05)
    tried = list[str]()

    async def handle(job: Job, _: JobContext) -> None:
        tried.append(job.id)
        if len(tried) == 1:
            raise Outage(dependency="database")

    await schedule(database, "a")
    async with running(process(database, handle)):
        await until(lambda: tried == ["a", "a"])


class Ahead:
    """Due times whose clock is ahead of the database's: what is given back is handed out at once."""

    def __init__(self) -> None:
        self.claims, self.given_back = 0, 0

    async def claim(self, _queue: str, **_: object) -> Claimed:
        """The job, each time."""
        self.claims += 1
        return Claimed([Claim("tomorrow", str(self.claims))] if self.claims == self.given_back + 1 else [], None)

    async def again(self, _queue: str, _claim: Claim, **_: object) -> bool:
        """Is counted."""
        self.given_back += 1
        return True

    async def may_sweep(self, *_: object, **__: object) -> bool:
        """Another does."""
        return False

    async def close(self) -> None:
        """Nothing is open."""


async def test_a_job_that_is_early_by_the_databases_clock_is_not_given_back_at_once(
    database: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: Job, __: JobContext) -> None:
        raise AssertionError

    due_times = Ahead()
    async with async_sessionmaker(database).begin() as session:
        Scheduler().schedule(session, Job(queue=QUEUE, id="tomorrow", due=datetime.now(UTC) + timedelta(days=1)))
    monkeypatch.setattr(delay_queue, "PULSE_SECONDS", 3_600)
    workers = process(database, never, due_times=cast("DueTimes", due_times))
    async with running(workers):
        await until(lambda: workers._tasks and not workers._running)  # looked at, and early
        await asyncio.sleep(0.1)
        assert due_times.given_back == 0
        for task in workers._tasks:
            task.cancel()


async def test_no_more_jobs_are_left_alone_than_the_table_can_be_told_of(
    database: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delay_queue, "LEASE_SECONDS", 0.05)
    monkeypatch.setattr(delay_queue, "MOST_ASIDE", 1)
    tried = list[str]()

    async def handle(job: Job, _: JobContext) -> None:
        tried.append(job.id)
        raise Outage(dependency="shop")

    await schedule(database, "away-1", "away-2")
    async with running(process(database, handle)):
        await until(lambda: len(tried) >= 3)
    assert set(tried) == {"away-1"}, "who is behind waits until one comes back, and nobody is tried without a pause"
