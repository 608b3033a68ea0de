"""The outbox as its relay sees it: rows that are still there, in order, and one fenced delete.

Laws: rows are found by being present, never by "position greater than the last one", because a slower transaction may
commit a lower position later. A delete holds only while the lanes are still owned under the epoch they were read with.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncEngine

from treaty_runtime.event import Place
from treaty_runtime.publish.sent import KEEP, OURS
from treaty_runtime.sql.database import autocommit
from treaty_runtime.sql.sqltext import listed, planned_each_time, statements
from treaty_runtime.sql.tables import Timestamp

_ROWS = (
    "SELECT position, CAST(id AS varchar(36)) AS id, aggregatetype, aggregateid, type, dataschema, payload, headers,"
    " tracingspancontext, lane FROM outbox"
)
# A planner can tell nothing about what is asked so, but that nearly every row fits: it walks along the positions until it has
# enough. From statistics of an emptier day it would believe that hardly any row fits, and sort the whole table for each batch.
# A key stands behind a refused row that is there: of one that somebody deleted by hand nobody could take the note away. Asked for as a
# value, since a subquery that is one is answered for each note by itself.
_IS_THERE = (
    "(SELECT refused.position FROM outbox AS refused WHERE refused.position = outbox_failed.position) IS NOT NULL"
)
_SELECT = (
    f"{_ROWS} WHERE CASE WHEN {{mine}}"  # noqa: S608  # constants
    f" AND NOT EXISTS (SELECT 1 FROM outbox_failed WHERE outbox_failed.aggregateid = outbox.aggregateid AND {_IS_THERE})"
    " THEN 1 END IS NOT NULL ORDER BY position LIMIT :limit"
)
# Subqueries where there may be a thousand values: PostgreSQL looks them up, where it would compare each with each.
_MINE = (
    "lane = ANY(CAST(:lanes AS smallint[])) AND position NOT IN (SELECT unnest(CAST(:besides AS bigint[])))"
    " AND aggregateid NOT IN (SELECT unnest(CAST(:held AS text[])))"
)
_MINE_IN_SQLITE = (
    "lane IN (SELECT value FROM json_each(:lanes)) AND position NOT IN (SELECT value FROM json_each(:besides))"
    " AND aggregateid NOT IN (SELECT value FROM json_each(:held))"
)
READ = statements(_SELECT.replace("{mine}", _MINE), sqlite=_SELECT.replace("{mine}", _MINE_IN_SQLITE))

AT = statements(
    f"{_ROWS} WHERE position = ANY(CAST(:positions AS bigint[]))",
    sqlite=f"{_ROWS} WHERE position IN (SELECT value FROM json_each(:positions))",  # noqa: S608  # constants
)
TOPICS = statements(
    "SELECT DISTINCT lane, aggregatetype FROM outbox WHERE lane = ANY(CAST(:lanes AS smallint[]))",
    sqlite="SELECT DISTINCT lane, aggregatetype FROM outbox WHERE lane IN (SELECT value FROM json_each(:lanes))",
)

_DELETE = statements(
    f"DELETE FROM outbox WHERE {OURS}",  # noqa: S608  # constants
    sqlite="DELETE FROM outbox WHERE position IN (SELECT value FROM json_each(:positions)) AND lane IN"
    " (SELECT outbox_lane.lane FROM outbox_lane"
    " JOIN json_each(:lanes) AS lanes ON lanes.value = outbox_lane.lane"
    " JOIN json_each(:epochs) AS epochs ON epochs.key = lanes.key AND epochs.value = outbox_lane.epoch"
    " WHERE outbox_lane.owner = :owner)",
)
DELETE = planned_each_time(_DELETE, by="lowest")

# Fenced like the delete, and only of rows that are there: an operator may have dropped one, or another owner sent it, since it was
# produced. One that is dropped in this moment leaves a note that nobody heeds.
FAIL = statements(
    "INSERT INTO outbox_failed (position, aggregateid, attempts, code, error, failed_at, overtaken)"
    " SELECT position, aggregateid, 1, CAST(:code AS varchar), CAST(:error AS varchar), {now}, CAST(:overtaken AS boolean)"
    " FROM outbox WHERE position = :position AND EXISTS (SELECT 1 FROM outbox_lane"
    " WHERE outbox_lane.lane = outbox.lane AND outbox_lane.owner = :owner AND outbox_lane.epoch = :epoch)"
    " ON CONFLICT (position) DO UPDATE SET attempts = outbox_failed.attempts + 1, code = excluded.code,"
    " error = excluded.error, failed_at = excluded.failed_at, overtaken = outbox_failed.overtaken OR excluded.overtaken"
)

COUNT = {
    dialect: statement.columns(oldest=Timestamp())
    for dialect, statement in statements(
        "SELECT count(*) AS pending, min(created_at) AS oldest,"  # noqa: S608  # constants
        f" (SELECT count(*) FROM outbox_failed WHERE {_IS_THERE}) AS failed FROM outbox"
    ).items()
}


class Pending(NamedTuple):
    """An outbox row that waits: `topic` and `key` are the columns aggregatetype and aggregateid, `written_id` is the id as text."""

    position: int
    written_id: str
    topic: str
    key: str
    type: str
    full_name: str
    payload: bytes
    headers: str
    trace: str | None
    lane: int

    @property
    def id(self) -> UUID:
        """The event's id; only observers and marks ask for it, and making one costs as much as reading the row."""
        return UUID(self.written_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A row that the broker will never take; `overtaken`: a later row of its key was acknowledged before."""

    row: Pending
    code: str
    error: str
    overtaken: bool


@dataclass(frozen=True, slots=True)
class Depth:
    """How much waits: rows, the creation time of the oldest (None: none), rows that failed."""

    pending: int
    oldest: datetime | None
    failed: int


class Backlog:
    """Reads and removes the rows of an outbox, each call one transaction of its own. ``keeps``: what is removed stays in `outbox_sent`."""

    def __init__(self, engine: AsyncEngine, *, keeps: bool = False) -> None:
        self._whole, self._engine, self._dialect = engine, autocommit(engine), engine.dialect.name
        self._keeps = keeps

    async def read(
        self, lanes: Iterable[int], *, held: Collection[str], limit: int, besides: Sequence[Pending] = ()
    ) -> list[Pending]:
        """The first rows of these lanes by position, without the `held` keys, those behind a failed row, and those of `besides`."""
        parameters = {
            "lanes": self._list(sorted(lanes)),
            "held": self._list(sorted(held)),
            "besides": self._list([row.position for row in besides]),
            "limit": limit,
        }
        async with self._engine.connect() as connection:
            return _pending(await connection.execute(READ[self._dialect], parameters))

    async def at(self, positions: Iterable[int]) -> list[Pending]:
        """The rows at these positions, of any lane and key."""
        parameters = {"positions": self._list(list(positions))}
        async with self._engine.connect() as connection:
            return _pending(await connection.execute(AT[self._dialect], parameters))

    async def topics(self, lanes: Iterable[int]) -> Mapping[int, set[str]]:
        """Topics of all rows of these lanes, by lane."""
        topics: dict[int, set[str]] = defaultdict(set)
        parameters = {"lanes": self._list(sorted(lanes))}
        async with self._engine.connect() as connection:
            for lane, topic in await connection.execute(TOPICS[self._dialect], parameters):
                topics[lane].add(topic)
        return topics

    async def delete(
        self, rows: Sequence[Pending], *, owner: str, epochs: Mapping[int, int], places: Mapping[int, Place]
    ) -> int:
        """Remove acknowledged rows of the lanes that `owner` still holds under these epochs; answer how many.

        `places`: where they lie now, by position.
        """
        positions = [row.position for row in rows]
        parameters: dict[str, object] = {
            "positions": self._list(positions),
            "lanes": self._list(list(epochs)),
            "epochs": self._list(list(epochs.values())),
            "owner": owner,
        }
        if self._dialect == "postgresql":
            parameters |= {"lowest": min(positions), "highest": max(positions)}
        async with self._whole.begin() if self._keeps else self._engine.connect() as connection:
            statement = DELETE[self._dialect]
            if self._keeps:
                at = [places[row.position] for row in rows]
                parameters["partitions"] = self._list([place.partition for place in at])
                parameters["offsets"] = self._list([place.offset for place in at])
                if self._dialect == "postgresql":
                    statement = KEEP[self._dialect]  # it deletes too
                else:
                    await connection.execute(KEEP[self._dialect], parameters)
            deleted = await connection.execute(statement, parameters)
        assert isinstance(deleted, CursorResult)  # noqa: S101  # text DML always answers with a cursor
        return deleted.rowcount

    async def fail(self, refusals: Sequence[Refusal], *, owner: str, epochs: Mapping[int, int]) -> int:
        """Set rows aside, if they are there and `owner` still holds their lanes under these epochs; answer how many.

        Later rows of their keys are not read until they are retried or discarded.
        """
        rows = [
            {
                "position": refusal.row.position,
                "owner": owner,
                "epoch": epochs[refusal.row.lane],
                "code": refusal.code,
                "error": refusal.error,
                "overtaken": refusal.overtaken,
            }
            for refusal in refusals
        ]
        async with self._engine.connect() as connection:
            noted = await connection.execute(FAIL[self._dialect], rows)
        assert isinstance(noted, CursorResult)  # noqa: S101  # text DML always answers with a cursor
        return noted.rowcount

    async def depth(self) -> Depth:
        """How much waits now."""
        async with self._engine.connect() as connection:
            return Depth(*(await connection.execute(COUNT[self._dialect])).one())

    def _list(self, values: Collection[object]) -> object:
        return listed(values, dialect=self._dialect)


def _pending(found: CursorResult[Any]) -> list[Pending]:
    return [_new(Pending, row) for row in found.all()]  # all at once, and for each a third of what Pending(...) costs


_new: Any = tuple.__new__
