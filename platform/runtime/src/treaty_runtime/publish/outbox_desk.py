"""The outbox as an operator sees and mends it: what waits, what the broker refused, and who relays.

Each change names the rows by position and answers those that it changed: done twice it is done once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, TextClause, Uuid
from sqlalchemy.ext.asyncio import AsyncEngine

from treaty_runtime.sql.database import autocommit
from treaty_runtime.sql.sqltext import listed, statements
from treaty_runtime.sql.tables import Timestamp

LIVE_SECONDS = 10.0
"""A relay that was seen within that time, one lease, may still be at work."""

_AMONG = ("position = ANY(CAST(:positions AS bigint[]))", "position IN (SELECT value FROM json_each(:positions))")


def _texts(source: str) -> Mapping[str, TextClause]:
    """The statement for both engines; `{among}` becomes the positions."""
    return statements(source.replace("{among}", _AMONG[0]), sqlite=source.replace("{among}", _AMONG[1]))


TOPICS = statements(
    "SELECT outbox.aggregatetype AS topic, count(*) AS pending, min(outbox.created_at) AS oldest,"
    " count(outbox_failed.position) AS failed FROM outbox LEFT JOIN outbox_failed ON outbox_failed.position = outbox.position"
    " GROUP BY outbox.aggregatetype ORDER BY outbox.aggregatetype"
)
RELAYS = statements(
    "SELECT owner, seen, (SELECT count(*) FROM outbox_lane WHERE outbox_lane.owner = outbox_relay.owner AND until > {now}) AS lanes"
    " FROM outbox_relay WHERE seen > {earlier} AND seen < {later} ORDER BY owner"
)
FAILED = statements(
    "SELECT outbox.position, outbox.id, outbox.aggregatetype, outbox.aggregateid, outbox.type, outbox.created_at,"
    " outbox_failed.attempts, outbox_failed.code, outbox_failed.error, outbox_failed.failed_at, outbox_failed.overtaken,"
    " (SELECT count(*) FROM outbox AS behind WHERE behind.aggregateid = outbox.aggregateid AND behind.position > outbox.position)"
    " AS behind FROM outbox_failed JOIN outbox ON outbox.position = outbox_failed.position ORDER BY outbox.position LIMIT :limit"
)
FIND = statements(
    "SELECT position, id, aggregatetype, aggregateid, type, created_at FROM outbox"
    " WHERE id = ANY(CAST(:ids AS uuid[]))"
    " OR ((aggregateid = ANY(CAST(:keys AS text[])) OR aggregatetype = ANY(CAST(:topics AS text[])))"
    " AND EXISTS (SELECT 1 FROM outbox_failed WHERE outbox_failed.position = outbox.position)) ORDER BY position",
    sqlite="SELECT position, id, aggregatetype, aggregateid, type, created_at FROM outbox"
    " WHERE id IN (SELECT replace(value, '-', '') FROM json_each(:ids))"
    " OR ((aggregateid IN (SELECT value FROM json_each(:keys)) OR aggregatetype IN (SELECT value FROM json_each(:topics)))"
    " AND EXISTS (SELECT 1 FROM outbox_failed WHERE outbox_failed.position = outbox.position)) ORDER BY position",
)
WAITING = statements(
    "SELECT position, id, aggregatetype, aggregateid, type, created_at FROM outbox WHERE position > :after"
    " ORDER BY position LIMIT :limit"
)
FORGIVE = _texts("DELETE FROM outbox_failed WHERE {among} RETURNING position")
DROP = _texts("DELETE FROM outbox WHERE {among} RETURNING position")


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicCount:
    """What waits for one topic; ``failed`` of them the broker refused."""

    topic: str
    pending: int
    failed: int
    oldest: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRelay:
    """A relay that was seen within a lease, and how many lanes it owns."""

    owner: str
    seen: datetime
    lanes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """An outbox row without its payload."""

    position: int
    id: UUID
    topic: str
    key: str
    type: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedStaged:
    """A row that the broker refused; ``behind`` later rows of its key wait for it. ``is_overtaken``: one of them went first."""

    row: Staged
    attempts: int
    code: str
    error: str
    failed_at: datetime
    is_overtaken: bool
    behind: int


class OutboxDesk:
    """The outbox of one service's database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine, self._dialect = engine, engine.dialect.name

    async def topics(self) -> list[TopicCount]:
        """What waits, by topic."""
        async with autocommit(self._engine).connect() as connection:
            rows = await connection.execute(TOPICS[self._dialect].columns(oldest=Timestamp()))
            return [
                TopicCount(topic=row.topic, pending=row.pending, failed=row.failed, oldest=row.oldest) for row in rows
            ]

    async def relays(self) -> list[LiveRelay]:
        """Who may be relaying now."""
        async with autocommit(self._engine).connect() as connection:
            rows = await connection.execute(RELAYS[self._dialect].columns(seen=Timestamp()), {"seconds": LIVE_SECONDS})
            return [LiveRelay(owner=row.owner, seen=row.seen, lanes=row.lanes) for row in rows]

    async def failed(self, *, limit: int) -> list[FailedStaged]:
        """Rows that the broker refused, oldest first."""
        columns = FAILED[self._dialect].columns(id=Uuid(), created_at=Timestamp(), failed_at=Timestamp())
        async with autocommit(self._engine).connect() as connection:
            return [
                FailedStaged(
                    row=_staged(row),
                    attempts=row.attempts,
                    code=row.code,
                    error=row.error,
                    failed_at=row.failed_at,
                    is_overtaken=bool(row.overtaken),
                    behind=row.behind,
                )
                for row in await connection.execute(columns, {"limit": limit})
            ]

    async def find(
        self, *, ids: Collection[UUID] = (), keys: Collection[str] = (), topics: Collection[str] = ()
    ) -> list[Staged]:
        """Rows with one of these event ids, and the refused rows of these keys and topics."""
        given = {
            "ids": listed([str(each) for each in ids], dialect=self._dialect),
            "keys": listed(keys, dialect=self._dialect),
            "topics": listed(topics, dialect=self._dialect),
        }
        return await self._rows(FIND, given)

    async def waiting(self, *, after: int, limit: int) -> list[Staged]:
        """Rows behind a position, in order."""
        return await self._rows(WAITING, {"after": after, "limit": limit})

    async def retry(self, positions: Sequence[int]) -> list[int]:
        """Lets the relay try refused rows again; answers those that were refused until now."""
        async with self._engine.begin() as connection:
            rows = await connection.execute(FORGIVE[self._dialect], self._among(positions))
            return [row.position for row in rows]

    async def drop(self, positions: Sequence[int]) -> list[int]:
        """Removes rows for good, together with what is noted of them; answers those that were there."""
        async with self._engine.begin() as connection:
            rows = await connection.execute(DROP[self._dialect], self._among(positions))
            gone = [row.position for row in rows]
            await connection.execute(FORGIVE[self._dialect], self._among(positions))
        return gone

    def _among(self, positions: Sequence[int]) -> dict[str, object]:
        return {"positions": listed(positions, dialect=self._dialect)}

    async def _rows(self, statement: Mapping[str, TextClause], given: Mapping[str, object]) -> list[Staged]:
        columns = statement[self._dialect].columns(id=Uuid(), created_at=Timestamp())
        async with autocommit(self._engine).connect() as connection:
            return [_staged(row) for row in await connection.execute(columns, given)]


def _staged(row: Row[Any]) -> Staged:
    return Staged(
        position=row.position,
        id=row.id,
        topic=row.aggregatetype,
        key=row.aggregateid,
        type=row.type,
        created_at=row.created_at,
    )
