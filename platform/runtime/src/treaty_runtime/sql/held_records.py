"""The table of held records, on both engines."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Row, bindparam
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from treaty_runtime.errors import Outage
from treaty_runtime.event import Headers, Partition, Place, Record
from treaty_runtime.held import AlreadyReleased, Held
from treaty_runtime.sql.database import autocommit, is_waited_out
from treaty_runtime.sql.sqltext import statements
from treaty_runtime.sql.tables import Timestamp

_AT = '"consumer" = :consumer AND "topic" = :topic AND "partition" = :partition'
_ONE = f'{_AT} AND "offset" = :offset'
LOAD = statements(
    'SELECT "offset", key, headers, timestamp_ms, is_log_append_time, attempt, due_at, begun FROM held'  # noqa: S608  # constants
    f' WHERE {_AT} ORDER BY "offset"'
)
# A zombie's late row must not undo what the next owner wrote of the record since.
HOLD = statements(
    'INSERT INTO held ("consumer", "topic", "partition", "offset", key, value, headers, timestamp_ms, is_log_append_time,'
    " attempt, due_at, begun) VALUES (:consumer, :topic, :partition, :offset, :key, :value, :headers, :timestamp_ms,"
    " :is_log_append_time, :attempt, :due_at, 0) ON CONFLICT DO NOTHING"
)
AGAIN = statements(f"UPDATE held SET attempt = :attempt, due_at = :due_at, begun = 0 WHERE {_ONE}")  # noqa: S608  # constants
FETCH = statements(
    f"UPDATE held SET begun = begun + 1 WHERE {_ONE} RETURNING"  # noqa: S608  # constants
    ' "offset", key, value, headers, timestamp_ms, is_log_append_time, attempt, due_at, begun - 1 AS begun'
)
SPARE = statements(f"UPDATE held SET begun = 0 WHERE {_ONE}")  # noqa: S608  # constants
DELETE = statements(f"DELETE FROM held WHERE {_ONE}")  # noqa: S608  # constants


class SqlHeldRecords:
    """Held records in a service's own database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._whole, self._engine, self._dialect = engine, autocommit(engine), engine.dialect.name

    async def load(self, group: str, partition: Partition) -> list[Held]:
        """Everything held of one partition, without values."""
        topic, number = partition
        given = {"consumer": group, "topic": topic, "partition": number}
        async with self._connection() as connection:
            rows = await connection.execute(LOAD[self._dialect].columns(due_at=Timestamp()), given)
            return [_held(row, partition, value=b"") for row in rows]

    async def hold(self, group: str, rows: Sequence[Held]) -> None:
        """Adds records, all or none."""
        async with self._connection(self._whole) as connection, connection.begin():
            await connection.execute(_timed(HOLD[self._dialect]), [_row(group, each) for each in rows])

    async def again(self, group: str, row: Held) -> None:
        """Another attempt failed."""
        given = {**_one(group, row.place), "attempt": row.attempt, "due_at": row.due}
        async with self._connection() as connection:
            await connection.execute(_timed(AGAIN[self._dialect]), given)

    async def fetch(self, group: str, place: Place) -> Held | None:
        """The whole record; its attempt is begun."""
        async with self._connection() as connection:
            found = await connection.execute(FETCH[self._dialect].columns(due_at=Timestamp()), _one(group, place))
            row = found.first()
        return None if row is None else _held(row, place.of, value=row.value)

    async def spare(self, group: str, places: Sequence[Place]) -> None:
        """What was begun was cut off in good order."""
        async with self._connection() as connection:
            await connection.execute(SPARE[self._dialect], [_one(group, place) for place in places])

    async def release(self, session: Any, group: str, place: Place) -> None:
        """Deletes the row in the handler's transaction."""
        deleted = await session.execute(DELETE[self._dialect], _one(group, place))
        assert isinstance(deleted, CursorResult)  # noqa: S101  # text DML always answers with a cursor
        if not deleted.rowcount:
            raise AlreadyReleased

    async def drop(self, group: str, place: Place) -> None:
        """Deletes the row."""
        async with self._connection() as connection:
            await connection.execute(DELETE[self._dialect], _one(group, place))

    @asynccontextmanager
    async def _connection(self, engine: AsyncEngine | None = None) -> AsyncIterator[AsyncConnection]:
        try:
            async with (engine or self._engine).connect() as connection:
                yield connection
        except (DBAPIError, PoolTimeout) as error:
            if is_waited_out(error):
                raise Outage(f"The database is away: {error}", dependency="database") from error
            raise


def _timed(statement: Any) -> Any:
    return statement.bindparams(bindparam("due_at", type_=Timestamp()))


def _one(group: str, place: Place) -> dict[str, object]:
    return {"consumer": group, "topic": place.topic, "partition": place.partition, "offset": place.offset}


def _row(group: str, held: Held) -> Mapping[str, object]:
    record = held.record
    return {
        **_one(group, held.place),
        "key": record.key,
        "value": record.value,
        "headers": _texts(record.headers),
        "timestamp_ms": record.timestamp_ms,
        "is_log_append_time": record.is_log_append_time,
        "attempt": held.attempt,
        "due_at": held.due,
    }


def _held(row: Row[Any], partition: Partition, *, value: bytes | None) -> Held:
    place = Place(*partition, row.offset)
    key = None if row.key is None else bytes(row.key)
    record = Record(
        place,
        key,
        None if value is None else bytes(value),
        _headers(row.headers),
        row.timestamp_ms,
        bool(row.is_log_append_time),
    )
    return Held(record=record, attempt=row.attempt, due=row.due_at, begun=row.begun)


def _texts(headers: Headers) -> str:
    return json.dumps([[name, b64encode(value).decode()] for name, value in headers])


def _headers(text: str) -> Headers:
    return tuple((name, b64decode(value)) for name, value in json.loads(text))
