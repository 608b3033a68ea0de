"""Scheduling shares the fate of the caller's transaction; the same job twice is one job."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.orm import Session

from treaty_runtime.delay.schedule import Scheduler
from treaty_runtime.errors import InvalidJob
from treaty_runtime.job import Job
from treaty_runtime.sql.tables import DelayedRow

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
Sessions = async_sessionmaker[AsyncSession]


def _job(job_id: str = "o-1", *, due: datetime = NOON, payload: bytes = b"p") -> Job:
    return Job(queue="order-timeout", id=job_id, due=due, payload=payload)


@pytest.fixture
def told() -> list[tuple[str, bool]]:
    return []


@pytest.fixture
def scheduler(told: list[tuple[str, bool]]) -> Scheduler:
    made = Scheduler()
    made.on_commit(lambda job, replaced: told.append((job.id, replaced)))
    return made


async def test_a_job_is_kept_with_the_commit_and_told_after_it(
    scheduler: Scheduler, sessions: Sessions, told: list[tuple[str, bool]]
) -> None:
    async with sessions.begin() as session:
        scheduler.schedule(session, _job())
        assert told == []
    (row,) = await _rows(sessions)
    assert (row.queue, row.id, row.due_at, row.payload, row.attempts) == ("order-timeout", "o-1", NOON, b"p", 0)
    assert told == [("o-1", False)]


async def test_a_rolled_back_transaction_schedules_nothing(
    scheduler: Scheduler, sessions: Sessions, told: list[tuple[str, bool]]
) -> None:
    async with sessions() as session:
        scheduler.schedule(session, _job())
        await session.flush()
        await session.rollback()
        await session.execute(select(1))
        await session.commit()
    assert await _rows(sessions) == []
    assert told == []


async def test_a_rolled_back_savepoint_takes_only_its_own_jobs_along(scheduler: Scheduler, sessions: Sessions) -> None:
    async with sessions.begin() as session:
        scheduler.schedule(session, _job("kept"))
        savepoint = await session.begin_nested()
        scheduler.schedule(session, _job("lost"))
        await session.flush()
        await savepoint.rollback()
    assert [row.id for row in await _rows(sessions)] == ["kept"]


async def test_the_same_id_again_changes_nothing(scheduler: Scheduler, sessions: Sessions) -> None:
    for hours in (0, 5):
        async with sessions.begin() as session:
            scheduler.schedule(session, _job(due=NOON + timedelta(hours=hours)))
    (row,) = await _rows(sessions)
    assert row.due_at == NOON


async def test_replace_moves_the_job_and_makes_it_run_again(scheduler: Scheduler, sessions: Sessions) -> None:
    async with sessions.begin() as session:
        scheduler.schedule(session, _job())
    async with sessions.begin() as session:
        (row,) = await session.scalars(select(DelayedRow))
        row.done_at, row.attempts = NOON, 2
    async with sessions.begin() as session:
        scheduler.schedule(session, _job(due=NOON + timedelta(hours=1), payload=b"new"), replace=True)
    (row,) = await _rows(sessions)
    assert (row.due_at, row.payload, row.attempts, row.done_at) == (NOON + timedelta(hours=1), b"new", 0, None)


async def test_a_cancelled_job_is_gone_but_a_done_one_is_remembered(scheduler: Scheduler, sessions: Sessions) -> None:
    async with sessions.begin() as session:
        scheduler.schedule(session, _job("waiting"))
        scheduler.schedule(session, _job("done"))
    async with sessions.begin() as session:
        (row,) = await session.scalars(select(DelayedRow).where(DelayedRow.id == "done"))
        row.done_at = NOON
    async with sessions.begin() as session:
        scheduler.cancel(session, "order-timeout", "waiting")
        scheduler.cancel(session, "order-timeout", "done")
    assert [row.id for row in await _rows(sessions)] == ["done"]


async def test_schedule_and_cancel_in_one_transaction_keep_their_order(
    scheduler: Scheduler, sessions: Sessions
) -> None:
    async with sessions.begin() as session:
        scheduler.schedule(session, _job("a"))
        scheduler.cancel(session, "order-timeout", "a")
        scheduler.cancel(session, "order-timeout", "b")
        scheduler.schedule(session, _job("b"))
    assert [row.id for row in await _rows(sessions)] == ["b"]


async def test_a_blocking_session_schedules_the_same_row(
    scheduler: Scheduler, database: AsyncEngine, sessions: Sessions, told: list[tuple[str, bool]]
) -> None:
    def write(connection: object) -> None:
        with Session(connection) as session, session.begin():  # type: ignore[arg-type]  # run_sync hands it untyped
            scheduler.schedule(session, _job())

    async with database.connect() as connection:
        await connection.run_sync(write)
        await connection.commit()
    assert len(await _rows(sessions)) == 1
    assert told == [("o-1", False)]


@pytest.mark.parametrize(
    "job",
    [
        _job(""),
        _job("i" * 256),
        _job("\x00"),
        _job(payload=b"x" * 64_001),
        _job(due=NOON.replace(tzinfo=None)),
        Job(queue="q" * 129, id="o-1", due=NOON),
    ],
)
def test_a_job_that_no_table_could_keep_is_refused_at_once(job: Job) -> None:
    with pytest.raises(InvalidJob):
        Scheduler().schedule(Session(), job)


async def _rows(sessions: Sessions) -> list[DelayedRow]:
    async with sessions() as session:
        return list(await session.scalars(select(DelayedRow).order_by(DelayedRow.id)))
