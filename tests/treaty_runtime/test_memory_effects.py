"""Effects in memory do what those of a database do: the same facts, both asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from tests.treaty_runtime.order_events import envelope_of
from treaty_runtime.delay.schedule import Scheduler
from treaty_runtime.errors import InvalidJob
from treaty_runtime.event import BatchContext, Context, Effects, Outcome
from treaty_runtime.job import Job
from treaty_runtime.sql import database as runtime_database
from treaty_runtime.sql.inbox import Inbox
from treaty_runtime.sql.tables import DelayedRow
from treaty_runtime.testing.effects import MemoryEffects

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@dataclass(frozen=True)
class Side:
    """Effects, and the jobs that they have in the end: id and hour."""

    effects: Effects
    sessions: async_sessionmaker[AsyncSession] | None

    async def jobs(self) -> Sequence[tuple[str, int]]:
        if isinstance(self.effects, MemoryEffects):
            return sorted((job.id, job.due.hour) for job in self.effects.jobs)
        assert self.sessions is not None
        async with self.sessions() as session:
            return sorted((row.id, row.due_at.hour) for row in (await session.scalars(select(DelayedRow))).all())


@pytest.fixture(params=["memory", "database"])
async def side(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Side]:
    if request.param == "memory":
        yield Side(MemoryEffects(send=lambda *_, **__: uuid4(), new_id=uuid4), None)
        return
    engine = runtime_database.open_engine(f"sqlite:///{tmp_path / 'service.sqlite'}")
    await runtime_database.create(engine)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    yield Side(Inbox(sessions, schedule=Scheduler().schedule), sessions)
    await engine.dispose()


@pytest.mark.parametrize("has_inbox", [True, False])
async def test_of_two_events_of_one_id_in_a_batch_the_first_is_handled(side: Side, *, has_inbox: bool) -> None:
    given = [envelope_of(number, offset=offset) for number, offset in ((1, 5), (2, 6), (1, 7))]
    seen: list[int] = []

    async def handle(batch: BatchContext) -> None:
        seen.extend(each.place.offset for each in batch.envelopes)

    outcomes = await side.effects.run_batch(given, group="g", handle=handle, deadline=NOW, inbox=has_inbox)
    third = Outcome.DUPLICATE if has_inbox else Outcome.HANDLED
    assert (outcomes, seen) == ([Outcome.HANDLED, Outcome.HANDLED, third], [5, 6] if has_inbox else [5, 6, 7])


async def test_a_job_of_a_known_id_changes_nothing_unless_it_replaces(side: Side) -> None:
    def job(job_id: str, hours: int) -> Job:
        return Job(queue="reminder", id=job_id, due=NOW + timedelta(hours=hours))

    async def handle(context: Context) -> None:
        for each, hours, replaces in (
            ("a", 1, False),
            ("b", 1, False),
            ("a", 2, False),
            ("b", 2, True),
            ("c", 3, True),
        ):
            context.schedule(job(each, hours), replace=replaces)

    for number in (1, 2):
        await side.effects.run(envelope_of(number), group="g", handle=handle, deadline=NOW)
    assert await side.jobs() == [("a", 6), ("b", 7), ("c", 8)]


async def test_a_job_that_no_queue_takes_is_the_handlers_failure(side: Side) -> None:
    async def handle(context: Context) -> None:
        context.schedule(Job(queue="reminder", id="a", due=datetime(2026, 3, 4)))  # noqa: DTZ001  # that is the fault

    with pytest.raises(InvalidJob, match="an aware due time"):
        await side.effects.run(envelope_of(1), group="g", handle=handle, deadline=NOW)
    assert await side.jobs() == []
