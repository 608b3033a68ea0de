"""Fresh tables beside the live ones, filled by one connection and gone with it.

Laws. 1. Handlers write to temporary tables only: these hide the live tables of the same name, the outbox and the inbox too, so that
whatever a handler stages is never sent. 2. One rebuild of a service's tables at a time; the lock dies with its process.
3. The last step holds the live inbox first, then the live tables: a running handler takes its inbox row first, so it ends or waits.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from zlib import crc32

from sqlalchemy import Connection, MetaData, Table, event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_sessionmaker

from mall.database import Database, Sessions
from mall.rebuilt import RebuildBroken, RebuildRefused
from treaty_runtime.sql.database import autocommit
from treaty_runtime.sql.tables import Tables

INBOX = "inbox"
_REBUILD_LOCK = 0x6D616C  # "mal", beside the lock of creation
_RUNNING = "Another rebuild of this service is at work; wait until it has ended."


class OneByOne(AsyncSession):
    """A session that waits for its turn: all of them share one connection."""

    def __init__(self, *arguments: Any, turn: asyncio.Lock, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._turn, self._has_turn = turn, False

    async def __aenter__(self) -> Self:
        """Begin when the one before has ended."""
        await self._turn.acquire()
        self._has_turn = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, and let the next one begin."""
        try:
            await super().__aexit__(kind, error, trace)
        finally:
            if self._has_turn:  # `sessions.begin()` ends what it did not enter
                self._has_turn = False
                self._turn.release()


@dataclass(slots=True, kw_only=True)
class Shadow:
    """The fresh tables; `sessions` are for handlers."""

    connection: AsyncConnection
    sessions: Sessions
    tables: dict[str, Table]
    """Fresh tables by name."""
    live: dict[str, Table]
    """Live tables by name."""
    _mode: dict[str, str] = field(default_factory=dict)

    @asynccontextmanager
    async def last_step(self, names: Sequence[str]) -> AsyncIterator[None]:
        """A transaction in which nobody else writes these live tables; commits at the end, rolls back if the block raises.

        `names` in the order in which writers take them: one that has locked rows of a table ends before that table is ours.
        Handlers that run in it belong to it. Readers go on and see the old rows until the commit.
        """
        self._mode["begin"] = "BEGIN IMMEDIATE"
        try:
            async with self.connection.begin():
                if self.connection.dialect.name == "postgresql":
                    await self.connection.execute(text("SET LOCAL lock_timeout = '3s'"))
                    for name in (INBOX, *names):
                        table = self.connection.dialect.identifier_preparer.format_table(self.live[name])
                        await self.connection.execute(text(f"LOCK TABLE {table} IN EXCLUSIVE MODE"))
                yield
        finally:
            self._mode["begin"] = "BEGIN"

    async def analyze(self) -> None:
        """Let PostgreSQL know how large the fresh tables are; it does not look at temporary ones by itself."""
        if self.connection.dialect.name == "postgresql":
            for table in self.tables.values():
                await self.connection.execute(text(f'ANALYZE pg_temp."{table.name}"'))
            await self.connection.commit()


@asynccontextmanager
async def opened_shadow(database: Database, metadata: MetaData, *, service: str) -> AsyncIterator[Shadow]:
    """Empty tables like those of the service and of the runtime. Raises `RebuildRefused` while another rebuild is at work."""
    is_sqlite = database.engine.dialect.name == "sqlite"
    with _file_lock(database.engine.url.database if is_sqlite else None):
        engine = autocommit(database.engine) if is_sqlite else database.engine
        async with engine.connect() as connection, nullcontext() if is_sqlite else _server_lock(connection, service):
            mode = {"begin": "BEGIN"}
            if is_sqlite:
                _begin_as_told(connection, mode)
            await _never_another(connection)
            fresh = _copies(metadata, schema="temp" if is_sqlite else "pg_temp")
            await connection.run_sync(lambda sync: fresh.create_all(sync, checkfirst=False))
            await connection.commit()
            sessions = async_sessionmaker(
                bind=connection,
                class_=OneByOne,
                turn=asyncio.Lock(),
                expire_on_commit=False,
                join_transaction_mode="create_savepoint",
            )
            live = _copies(metadata, schema=database.schema or "main")
            yield Shadow(
                connection=connection,
                sessions=sessions,  # type: ignore[arg-type]  # a kind of AsyncSession
                tables=_by_name(fresh),
                live=_by_name(live),
                _mode=mode,
            )


def _begin_as_told(connection: AsyncConnection, mode: dict[str, str]) -> None:
    """Transactions on temporary tables do not ask for SQLite's one write lock; the last step does."""

    def begin(sync: Connection) -> None:
        sync.exec_driver_sql(mode["begin"])

    event.listen(connection.sync_connection, "begin", begin)


async def _never_another(connection: AsyncConnection) -> None:
    """A lost connection took the temporary tables along; on one that is opened in its place handlers would write to the live ones."""
    first = (await connection.get_raw_connection()).dbapi_connection

    def begin(again: Connection) -> None:
        if again.connection.dbapi_connection is not first:
            raise RebuildBroken("The database was lost meanwhile: the old read model stays; rebuild again.")

    event.listen(connection.sync_connection, "begin", begin)


@asynccontextmanager
async def _server_lock(connection: AsyncConnection, service: str) -> AsyncIterator[None]:
    key = {"mall": _REBUILD_LOCK, "service": crc32(service.encode()) >> 1}
    taken = await connection.scalar(text("SELECT pg_try_advisory_lock(:mall, :service)"), key)
    await connection.commit()
    if not taken:
        raise RebuildRefused(_RUNNING)
    try:
        yield
    finally:
        # By word: a server ends the session of a closed connection a moment later, and would refuse the next rebuild until then.
        with suppress(SQLAlchemyError, RebuildBroken):  # lost: its session has ended or will
            await connection.rollback()
            await connection.execute(text("SELECT pg_advisory_unlock(:mall, :service)"), key)
            await connection.commit()


@contextmanager
def _file_lock(database: str | None) -> Iterator[None]:
    """Hold `<database>.rebuild`; nothing without a file."""
    if database is None:
        yield
        return
    held = os.open(f"{database}.rebuild", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RebuildRefused(_RUNNING) from None
        yield
    finally:
        os.close(held)


def _copies(metadata: MetaData, *, schema: str) -> MetaData:
    copied = MetaData()
    for table in (*metadata.sorted_tables, *Tables.metadata.sorted_tables):
        table.to_metadata(copied, schema=schema)
    return copied


def _by_name(metadata: MetaData) -> dict[str, Table]:
    return {table.name: table for table in metadata.sorted_tables}
