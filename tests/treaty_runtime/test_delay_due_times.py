"""Due times at the ends of what a datetime holds: those that some zone has no time for are refused, all others can be read everywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlalchemy.orm import Session

from treaty_runtime.delay.job_desk import JobDesk, JobState
from treaty_runtime.delay.jobs import DelayedJobs
from treaty_runtime.delay.schedule import Scheduler
from treaty_runtime.errors import InvalidJob
from treaty_runtime.job import EARLIEST, LATEST, Job
from treaty_runtime.sql import database as runtime_database

QUEUE = "reminders"
ZONES = [UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-14))]


@pytest.mark.parametrize("zone", ZONES, ids=str)
@pytest.mark.parametrize(
    "end", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)], ids=["min", "max"]
)
def test_a_due_time_at_the_end_of_datetime_is_refused_by_name(end: datetime, zone: timezone) -> None:
    due = end.replace(tzinfo=zone)
    with pytest.raises(InvalidJob) as refused:
        Scheduler().schedule(Session(), Job(queue=QUEUE, id="a", due=due))
    assert f"(here {due.isoformat()})" in str(refused.value)


@pytest.mark.postgres
@pytest.mark.parametrize("zone", ["Etc/GMT+12", "Pacific/Kiritimati", "Asia/Manila"])
async def test_the_first_and_the_last_due_time_are_read_in_every_zone_of_the_server(postgres: str, zone: str) -> None:
    engine = runtime_database.open_engine(postgres)
    _connect_in(engine.sync_engine, zone)
    await runtime_database.create(engine)
    sessions, scheduler = async_sessionmaker(engine), Scheduler()
    async with sessions.begin() as session:
        for due in (EARLIEST, LATEST):
            scheduler.schedule(session, Job(queue=QUEUE, id=str(due.year), due=due))
    async with sessions() as session:
        assert await DelayedJobs(engine).take(session, queue=QUEUE, job_id="9999") == LATEST
    listed = await JobDesk(engine).jobs(JobState.WAITING, queue=QUEUE, limit=2)
    await engine.dispose()
    assert [row.due for row in listed] == [EARLIEST, LATEST]


def _connect_in(engine: Engine, zone: str) -> None:
    @event.listens_for(engine, "connect")
    def _(connection: object, _: object) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined]  # the driver's
        cursor.execute(f"SET timezone = '{zone}'")
        cursor.close()
        connection.commit()  # type: ignore[attr-defined]  # likewise
