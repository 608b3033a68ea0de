"""Jobs moved by an operator: only from the state that he saw, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from tests.treaty_runtime.statements import counted
from treaty_runtime.delay.job_desk import JobDesk, JobState, QueueCount
from treaty_runtime.delay.jobs import DelayedJobs, Taken
from treaty_runtime.delay.schedule import Scheduler
from treaty_runtime.job import Job
from treaty_runtime.sql.tables import DelayedRow

NOW = datetime.now(UTC)
PAST, FUTURE = datetime(2020, 1, 1, tzinfo=UTC), NOW + timedelta(days=1)


@pytest.fixture
async def desk(database: AsyncEngine, sessions: async_sessionmaker[AsyncSession]) -> JobDesk:
    """One job late, one failed, one done, one tomorrow."""
    scheduler, jobs = Scheduler(), DelayedJobs(database)
    async with sessions.begin() as session:
        for name, due in (("late", PAST), ("failed", PAST), ("done", PAST), ("tomorrow", FUTURE)):
            scheduler.schedule(session, Job(queue="cancel", id=name, due=due, payload=b"xyz"))
    assert await jobs.give_up(Taken(Job(queue="cancel", id="failed", due=PAST, payload=b""), attempt=1))
    async with sessions.begin() as session:
        assert isinstance(await jobs.take(session, queue="cancel", job_id="done"), Taken)
    return JobDesk(database)


async def ids(desk: JobDesk, state: JobState) -> list[str]:
    return [job.id for job in await desk.jobs(state, queue="cancel", limit=10)]


async def test_jobs_are_told_by_state_without_their_payload(desk: JobDesk) -> None:
    assert await desk.counts() == [QueueCount(queue="cancel", waiting=2, failed=1, done=1)]
    late, tomorrow = await desk.jobs(JobState.WAITING, queue=None, limit=10)
    assert (late.id, late.is_late, late.due, late.payload_bytes) == ("late", True, PAST, 3)
    assert (tomorrow.id, tomorrow.is_late) == ("tomorrow", False)
    (failed,) = await desk.jobs(JobState.FAILED, queue="cancel", limit=10)
    assert (failed.id, failed.attempts, failed.failed_at is not None) == ("failed", 1, True)
    assert await desk.jobs(JobState.FAILED, queue="other", limit=10) == []


async def test_a_failed_job_is_due_again_with_all_attempts_before_it(
    desk: JobDesk, database: AsyncEngine, sessions: async_sessionmaker[AsyncSession]
) -> None:
    assert await desk.find("cancel", ids=None, state=JobState.FAILED) == ["failed"]
    assert await desk.retry("cancel", ids=["failed", "late", "done", "nobody"]) == ["failed"]
    assert await desk.retry("cancel", ids=["failed"]) == [], "twice is once"
    async with sessions.begin() as session:
        taken = await DelayedJobs(database).take(session, queue="cancel", job_id="failed")
    assert isinstance(taken, Taken)
    assert taken.attempt == 1


async def test_what_has_run_is_not_cancelled(desk: JobDesk) -> None:
    assert sorted(await desk.cancel("cancel", ids=["done", "tomorrow", "failed"])) == ["failed", "tomorrow"]
    assert (await ids(desk, JobState.WAITING), await ids(desk, JobState.DONE)) == (["late"], ["done"])


async def test_what_was_done_a_week_ago_is_forgotten_in_portions_and_nothing_else_is(
    desk: JobDesk, database: AsyncEngine
) -> None:
    rows = [
        {"queue": "cancel", "id": f"old-{number}", "due_at": PAST, "payload": b"", "attempts": 0, "done_at": done}
        for number, done in enumerate([NOW - timedelta(days=7, hours=1)] * 25 + [NOW - timedelta(days=6, hours=23)] * 5)
    ]
    async with database.begin() as connection:
        await connection.execute(insert(DelayedRow), rows)
    with counted(database) as statements:
        assert [await DelayedJobs(database).clean(portion=10) for _ in range(4)] == [10, 10, 5, 0]
    assert len(statements) == 4
    assert await desk.counts() == [QueueCount(queue="cancel", waiting=2, failed=1, done=1 + 5)]
