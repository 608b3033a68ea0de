"""Delayed jobs as an operator sees and moves them; the rows only, since Redis is told by the sweeper what it lacks.

Each change is one statement that says which state it begins with: done twice it is done once, and a job that ran meanwhile is left.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncEngine

from treaty_runtime.sql.database import autocommit
from treaty_runtime.sql.sqltext import listed, statements
from treaty_runtime.sql.tables import Timestamp


class JobState(StrEnum):
    """Where a job is in its life."""

    WAITING = "waiting"
    FAILED = "failed"
    DONE = "done"


_IS = {
    JobState.WAITING: "done_at IS NULL AND failed_at IS NULL",
    JobState.FAILED: "done_at IS NULL AND failed_at IS NOT NULL",
    JobState.DONE: "done_at IS NOT NULL",
}
_AMONG = ("id = ANY(CAST(:ids AS text[]))", "id IN (SELECT value FROM json_each(:ids))")


def _texts(source: str, state: JobState = JobState.WAITING) -> Mapping[str, TextClause]:
    """The statement for both engines; `{is}` becomes the state, `{among}` the ids."""
    told = source.replace("{is}", _IS[state])
    return statements(told.replace("{among}", _AMONG[0]), sqlite=told.replace("{among}", _AMONG[1]))


_LIST = (
    "SELECT queue, id, due_at, attempts, done_at, failed_at, length(payload) AS bytes, due_at <= {now} AS is_due FROM delayed"
    " WHERE {is} AND (CAST(:queue AS text) IS NULL OR queue = CAST(:queue AS text)) ORDER BY due_at, queue, id LIMIT :limit"
)
_FIND = "SELECT id FROM delayed WHERE queue = :queue AND (:is_all OR {among}) AND {is} ORDER BY due_at, id"
LIST = {state: _texts(_LIST, state) for state in JobState}
FIND = {state: _texts(_FIND, state) for state in JobState}
COUNT = statements(
    "SELECT queue, count(CASE WHEN done_at IS NULL AND failed_at IS NULL THEN 1 END) AS waiting,"
    " count(CASE WHEN done_at IS NULL AND failed_at IS NOT NULL THEN 1 END) AS failed, count(done_at) AS done"
    " FROM delayed GROUP BY queue ORDER BY queue"
)
RETRY = _texts(
    "UPDATE delayed SET failed_at = NULL, attempts = 0, due_at = {now}"
    " WHERE queue = :queue AND {among} AND {is} RETURNING id",
    JobState.FAILED,
)
CANCEL = _texts("DELETE FROM delayed WHERE queue = :queue AND {among} AND done_at IS NULL RETURNING id")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A job without its payload, which may hold anything; ``is_late``: it waits, and its time has come."""

    queue: str
    id: str
    state: JobState
    due: datetime
    attempts: int
    payload_bytes: int
    is_late: bool
    failed_at: datetime | None
    done_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueCount:
    """How many jobs of a queue are in which state."""

    queue: str
    waiting: int
    failed: int
    done: int


class JobDesk:
    """The jobs of one service's database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine, self._dialect = autocommit(engine), engine.dialect.name

    async def counts(self) -> list[QueueCount]:
        """Every queue that has jobs."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(COUNT[self._dialect])
            return [QueueCount(queue=row.queue, waiting=row.waiting, failed=row.failed, done=row.done) for row in rows]

    async def jobs(self, state: JobState, *, queue: str | None, limit: int) -> list[JobRow]:
        """Jobs in a state, those due first at the front; ``queue`` None: of all."""
        times = {name: Timestamp() for name in ("due_at", "done_at", "failed_at")}
        statement = LIST[state][self._dialect].columns(**times)
        async with self._engine.connect() as connection:
            rows = await connection.execute(statement, {"queue": queue, "limit": limit})
            return [
                JobRow(
                    queue=row.queue,
                    id=row.id,
                    state=state,
                    due=row.due_at,
                    attempts=row.attempts,
                    payload_bytes=row.bytes,
                    is_late=state is JobState.WAITING and bool(row.is_due),
                    failed_at=row.failed_at,
                    done_at=row.done_at,
                )
                for row in rows
            ]

    async def find(self, queue: str, *, ids: Collection[str] | None, state: JobState) -> list[str]:
        """Which of these jobs (None: of all) are in a state."""
        given = {"queue": queue, "is_all": ids is None, "ids": listed(ids or (), dialect=self._dialect)}
        async with self._engine.connect() as connection:
            return [row.id for row in await connection.execute(FIND[state][self._dialect], given)]

    async def retry(self, queue: str, *, ids: Sequence[str]) -> list[str]:
        """Makes failed jobs due now, with all their attempts before them; answers those that were still failed."""
        return await self._change(RETRY, queue, ids)

    async def cancel(self, queue: str, *, ids: Sequence[str]) -> list[str]:
        """Removes jobs that have not run; answers those that were removed. One that runs at this moment is waited for and left."""
        return await self._change(CANCEL, queue, ids)

    async def _change(self, law: Mapping[str, TextClause], queue: str, ids: Sequence[str]) -> list[str]:
        async with self._engine.connect() as connection:
            rows = await connection.execute(
                law[self._dialect], {"queue": queue, "ids": listed(ids, dialect=self._dialect)}
            )
            return [row.id for row in rows]
