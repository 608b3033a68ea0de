"""The table of delayed jobs as the workers see it; `take` is what makes a job run once, and never early."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import TextClause, bindparam
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from treaty_runtime.job import Job
from treaty_runtime.sql.database import autocommit
from treaty_runtime.sql.forgetting import PORTION, forget_some, oldest
from treaty_runtime.sql.sqltext import listed, statements
from treaty_runtime.sql.tables import Timestamp

# In the job's own transaction: whoever sets done_at runs it, and nobody else until that transaction ends. That may be a minute, and
# PostgreSQL would let all who ask meanwhile wait for it.
TAKE = statements(
    "UPDATE delayed SET done_at = {now} WHERE queue = :queue AND id = (SELECT id FROM delayed WHERE queue = :queue AND id = :id"
    " AND done_at IS NULL AND failed_at IS NULL AND due_at <= {now} FOR UPDATE SKIP LOCKED) RETURNING due_at, payload, attempts",
    sqlite="UPDATE delayed SET done_at = {now} WHERE queue = :queue AND id = :id AND done_at IS NULL AND failed_at IS NULL"
    " AND due_at <= {now} RETURNING due_at, payload, attempts",
)
# What was due when the transaction began and was not to be had is somebody's. Its due time is past: who heard that would look again at
# once, and again.
LOOK = statements(
    "SELECT CASE WHEN due_at <= transaction_timestamp() THEN {now} + interval '1 second' ELSE due_at END AS due_at"
    " FROM delayed WHERE queue = :queue AND id = :id AND done_at IS NULL AND failed_at IS NULL",
    sqlite="SELECT due_at FROM delayed WHERE queue = :queue AND id = :id AND done_at IS NULL AND failed_at IS NULL",
)
_READY = (
    "SELECT id FROM delayed WHERE queue = :queue AND done_at IS NULL AND failed_at IS NULL AND due_at <= {now}"
    " AND id NOT IN ({besides}) ORDER BY due_at LIMIT :limit"
)
# The locks last as long as the statement: they only pass over what others run, or look at in this moment.
READY = statements(
    _READY.replace("{besides}", "SELECT unnest(CAST(:besides AS text[]))") + " FOR UPDATE SKIP LOCKED",
    sqlite=_READY.replace("{besides}", "SELECT value FROM json_each(:besides)"),
)
DUE = statements(
    "SELECT id, due_at FROM delayed WHERE queue = :queue AND done_at IS NULL AND failed_at IS NULL AND due_at <= {later}"
    " ORDER BY due_at LIMIT :limit"
)
# Only the job that was taken: one that was scheduled anew since, in its place, has not failed.
_FAILED = (
    "UPDATE delayed SET attempts = attempts + 1, {change} WHERE queue = :queue AND id = :id AND done_at IS NULL"
    " AND failed_at IS NULL AND due_at = :due AND attempts = :attempts RETURNING due_at"
)
LATER = statements(_FAILED.replace("{change}", "due_at = {later}"))
GIVE_UP = statements(_FAILED.replace("{change}", "failed_at = {now}"))
CLEAN = oldest("delayed", by="done_at")
PENDING = statements(
    "SELECT queue, count(*) AS jobs FROM delayed WHERE done_at IS NULL AND failed_at IS NULL GROUP BY queue"
)

KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Taken:
    """A job that is ours until the transaction ends; `attempt` counts from 1."""

    job: Job
    attempt: int


class DelayedJobs:
    """The jobs of a service's own database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine, self._dialect = autocommit(engine), engine.dialect.name

    async def take(self, session: AsyncSession, *, queue: str, job_id: str) -> Taken | datetime | None:
        """Mark the job done in the session's transaction; or answer when to look again; None: nothing to do.

        To look again: when it is due, or in a second if it is due and another transaction has it.
        """
        key = {"queue": queue, "id": job_id}
        row = (await session.execute(TAKE[self._dialect].columns(due_at=Timestamp()), key)).first()
        if row is not None:
            return Taken(Job(queue=queue, id=job_id, due=row.due_at, payload=bytes(row.payload)), row.attempts + 1)
        due: datetime | None = await session.scalar(LOOK[self._dialect].columns(due_at=Timestamp()), key)
        return due

    async def ready(self, queue: str, *, besides: Collection[str], limit: int) -> list[str]:
        """Ids of jobs that are due and that nobody runs, those due first at the front, without those of `besides`."""
        given = {"queue": queue, "besides": listed(besides, dialect=self._dialect), "limit": limit}
        async with self._engine.connect() as connection:
            return [row.id for row in await connection.execute(READY[self._dialect], given)]

    async def due(self, queue: str, *, within: float, limit: int) -> list[tuple[str, datetime]]:
        """Id and due time of jobs due in that many seconds, soonest first."""
        given = {"queue": queue, "seconds": within, "limit": limit}
        async with self._engine.connect() as connection:
            rows = await connection.execute(DUE[self._dialect].columns(due_at=Timestamp()), given)
            return [(row.id, row.due_at) for row in rows]

    async def later(self, taken: Taken, *, seconds: float) -> datetime | None:
        """Count a failed attempt and move the job; answer its new due time, None if it is gone or was scheduled anew."""
        return await self._failed(LATER, taken, seconds=seconds)

    async def give_up(self, taken: Taken) -> bool:
        """Count the last failed attempt; the job waits for an operator. False if it is gone or was scheduled anew."""
        return await self._failed(GIVE_UP, taken) is not None

    async def _failed(self, law: Mapping[str, TextClause], taken: Taken, **parameters: float) -> datetime | None:
        job = taken.job
        key = {"queue": job.queue, "id": job.id, "due": job.due, "attempts": taken.attempt - 1}
        statement = law[self._dialect].bindparams(bindparam("due", type_=Timestamp())).columns(due_at=Timestamp())
        async with self._engine.connect() as connection:
            due: datetime | None = await connection.scalar(statement, {**key, **parameters})
        return due

    async def clean(self, *, portion: int = PORTION) -> int:
        """Forget a portion of what was done seven days ago, and answer how many jobs that were; younger ids are not run again."""
        return await forget_some(self._engine, CLEAN, age=KEPT, portion=portion)

    async def pending(self) -> dict[str, int]:
        """How many jobs wait, by queue."""
        async with self._engine.connect() as connection:
            return {row.queue: row.jobs for row in await connection.execute(PENDING[self._dialect])}
