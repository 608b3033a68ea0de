"""Engines, and the runtime's tables in them: SQLite and PostgreSQL behave alike where delivery depends on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from sqlite3 import SQLITE_BUSY, SQLITE_CANTOPEN, SQLITE_FULL, SQLITE_IOERR, SQLITE_LOCKED, SQLITE_READONLY
from typing import Any

from sqlalchemy import Connection, Index, Table, UpdateBase, event, insert, inspect, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Dialect, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.schema import CreateIndex, CreateTable

from treaty_runtime.errors import (
    HandlerEndedTransaction,
    InvalidSettings,
    LaneCountDiffers,
    LayoutDiffers,
    TablesMissing,
    TransactionAborted,
)
from treaty_runtime.sql.tables import LAYOUT, LaneRow, LayoutRow, Tables

LANES = 16
"""Lanes of an outbox unless its tables are created with another number (1 to 64)."""

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_DIALECTS: dict[str, type[Dialect]] = {"postgresql": postgresql.dialect, "sqlite": sqlite.dialect}
_CREATE_LOCK = 0x74726561747901  # "treaty" and 1: one creator at a time
_SINCE = {"held": 2, "outbox_sent": 2, "delayed_waiting": 3, "delayed_done": 3}
"""Tables and indexes that came after the first layout."""
_DROP = {3: ("DROP INDEX IF EXISTS delayed_due",)}
"""What a layout no longer has, by its number."""
_RAISE_LAYOUT = (
    update(LayoutRow).where(LayoutRow.part == "tables").where(LayoutRow.version < LAYOUT).values(version=LAYOUT)
)
_WRITERS, _READERS, _CACHE = 5, 2, "cache_size=-512"
"""Connections of a file. Of the first, one writes at a time, and the others may all wait for it; the second are never theirs.
Half a megabyte of pages each instead of two: they stay, and the system holds the file's pages for all."""
_DISCREET: Mapping[str, Any] = {"hide_parameters": True}
"""Errors are logged and written into dead letters' headers: what was to be stored is not."""
_CONFLICTS = frozenset({"40001", "40P01"})
"""Serialization failure, deadlock (PostgreSQL appendix A)."""
_LOCKED = "55P03"
"""No lock in `lock_timeout`, or at once where `NOWAIT` was asked for."""
_AWAY = ("08", "57P", "53", "25006")
"""Connection exception; shut down or starting; out of connections, disk or memory; a copy that only reads."""
_CUT_OFF = "57014"
"""The statement was cancelled: by `statement_timeout`, or by somebody (`pg_cancel_backend`)."""
_NOT_PREPARED = frozenset({"26000", "42P05"})
"""What was prepared is not there, or already."""
_DRIVERS_OWN = '"_pg3_'
"""How psycopg begins the names of what it prepares: that is amiss where a pooler gave it another server's connection."""
_LOST_BEFORE = "8s2b"
"""SQLAlchemy's number for a transaction whose connection was lost in a savepoint that somebody gave up. A failed flush has another."""
_ABORTED = 3
"""A transaction that PostgreSQL has given up. Source: libpq, `PQTRANS_INERROR`; psycopg 2 and 3 number it alike."""

_PRIMARY = 0xFF
_UNUSABLE = frozenset({SQLITE_BUSY, SQLITE_CANTOPEN, SQLITE_FULL, SQLITE_IOERR, SQLITE_LOCKED, SQLITE_READONLY})
"""Of a file: no space, no right to write, a disk that fails, no file, a lock that another keeps.

Source: SQLite, "Result and Error Codes"; the lowest byte counts.
"""


def open_engine(url: str | URL, *, pool_size: int = 10) -> AsyncEngine:
    """An engine for `sqlite:///path` or `postgresql://…`, with the settings that delivery needs.

    SQLite: WAL, `synchronous=FULL`, a 5 s busy time-out and `BEGIN IMMEDIATE`, since a transaction that begins as a
    reader cannot wait for the writer it meets later; up to five connections and two for `reading`, which stay. PostgreSQL:
    psycopg 3, `pool_size` connections that stay, and ten more for a moment; `?prepare_threshold=none` for poolers that lend a server's
    connection for a transaction and forget what was prepared there.
    """
    parsed = make_url(url)
    parsed = parsed.set(drivername=_DRIVERS.get(parsed.drivername, parsed.drivername))
    if parsed.get_backend_name() != "sqlite":
        alive = {"connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
        rest, prepared = _prepared(parsed)
        engine = create_async_engine(rest, pool_size=pool_size, connect_args=alive | prepared, **_DISCREET)
        guard(engine)
        return engine
    in_memory = parsed.database in {None, "", ":memory:"} or parsed.query.get("mode") == "memory"
    # A database in memory has one connection, which everybody shares.
    engine = create_async_engine(parsed, **_DISCREET, **({} if in_memory else _pool_of(_WRITERS)))
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_immediate)
    if not in_memory:
        _add_readers(engine, parsed)
    return engine


def guard(engine: AsyncEngine) -> None:
    """Let PostgreSQL's faults show that no driver tells, or tells wrongly; an engine that has it stays as it is.

    COMMIT raises TransactionAborted where PostgreSQL would answer it with ROLLBACK. That is so after an error of the database that
    was caught: whoever goes on believes that all of it was stored. And a connection whose prepared statements a pooler has lost
    counts as lost too, instead of failing with whatever is asked next.
    """
    if engine.dialect.name == "postgresql" and not event.contains(engine.sync_engine, "commit", _refuse_aborted):
        event.listen(engine.sync_engine, "commit", _refuse_aborted)
        event.listen(engine.sync_engine, "handle_error", _leave_unprepared)


def _leave_unprepared(context: ExceptionContext) -> None:
    error = context.original_exception
    if getattr(error, "sqlstate", None) in _NOT_PREPARED and _DRIVERS_OWN in str(error):
        context.is_disconnect, context.invalidate_pool_on_disconnect = True, False


def _refuse_aborted(connection: Connection) -> None:
    status = getattr(getattr(connection.connection.driver_connection, "info", None), "transaction_status", None)
    if status == _ABORTED:
        # Whoever raises here ends SQLAlchemy's transaction, but not the server's: the next one would get the connection like this.
        connection.dialect.do_rollback(connection.connection)
        raise TransactionAborted


def _prepared(url: URL) -> tuple[URL, dict[str, int | None]]:
    """The URL without `prepare_threshold`, and that for the driver, which wants a number or None. Raises InvalidSettings."""
    threshold = url.query.get("prepare_threshold")
    if threshold is None:
        return url, {}
    if threshold != "none" and not (isinstance(threshold, str) and threshold.isdecimal()):
        given = f"prepare_threshold is {threshold!r} in the database's URL: give a number of times, or none."
        raise InvalidSettings([given])
    return url.difference_update_query(["prepare_threshold"]), {
        "prepare_threshold": None if threshold == "none" else int(threshold)
    }


def _pool_of(connections: int) -> dict[str, Any]:
    # None for a moment: each connection has a thread, and what threads that come and go leave behind in the allocator's arenas
    # adds up to megabytes an hour. The last one used is the next, so that few fill their caches.
    return {"pool_size": connections, "max_overflow": 0, "pool_use_lifo": True}


def _add_readers(engine: AsyncEngine, url: URL) -> None:
    readers = create_async_engine(url, **_DISCREET, **_pool_of(_READERS))
    event.listen(readers.sync_engine, "connect", _prepare_sqlite)
    event.listen(readers.sync_engine, "connect", _refuse_writes)
    event.listen(engine.sync_engine, "engine_disposed", lambda _: readers.sync_engine.dispose())
    engine.sync_engine.update_execution_options(treaty_readers=readers)


def reading(engine: AsyncEngine) -> AsyncEngine:
    """Where to only read, each statement for itself. It never waits for a writer, nor for those who wait to be one.

    A file of SQLite's has connections for it that refuse to write, and are disposed of with the others.
    """
    readers: AsyncEngine | None = engine.get_execution_options().get("treaty_readers")
    return readers or autocommit(engine)


def autocommit(engine: AsyncEngine) -> AsyncEngine:
    """The same pool, each statement its own transaction: no round trips for BEGIN and COMMIT, no write lock to read.

    Who only reads takes `reading`: here SQLite's writers may hold every connection while they wait for each other.
    """
    if engine.dialect.name == "sqlite":
        return engine.execution_options(treaty_autocommit=True)
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver would begin by itself, and only as a reader
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON", _CACHE):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _refuse_writes(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only=ON")  # who writes waits for the writer
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    if not connection.get_execution_options().get("treaty_autocommit"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


async def create(engine: AsyncEngine, *, lanes: int = LANES) -> None:
    """Create the runtime's tables where they are missing, those that came after an older layout too; a second call changes nothing.

    Raises LaneCountDiffers if the outbox was made with another number of lanes.
    """
    if not 1 <= lanes <= 64:
        raise LaneCountDiffers(f"An outbox has 1 to 64 lanes, not {lanes}. Leave `lanes` out to get {LANES}.")
    async with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CREATE_LOCK})
        await connection.run_sync(Tables.metadata.create_all)
        await connection.run_sync(_create_indexes)
        for statement in _dropped(since=0):
            await connection.execute(text(statement))
        if not (await connection.execute(select(LayoutRow.version))).first():
            await connection.execute(insert(LayoutRow), _layout(lanes))
            await connection.execute(insert(LaneRow), _free_lanes(lanes))
        else:
            await connection.execute(_RAISE_LAYOUT)
    await check(engine, lanes=lanes)


async def check(engine: AsyncEngine, *, lanes: int = LANES) -> None:
    """Raise TablesMissing, LayoutDiffers or LaneCountDiffers unless the tables are the ones this release works on."""
    async with autocommit(engine).connect() as connection:
        if not await connection.run_sync(lambda sync: inspect(sync).has_table(LayoutRow.__tablename__)):
            raise TablesMissing
        rows = await connection.execute(select(LayoutRow.part, LayoutRow.version))
        found = dict(rows.all())
    if found.get("tables") != LAYOUT:
        raise LayoutDiffers(
            f"Outbox layout is {found.get('tables')}, this release needs {LAYOUT}: "
            f'apply database.sql("{engine.dialect.name}", since={found.get("tables")}).'
        )
    if found.get("lanes") != lanes:
        raise LaneCountDiffers(
            f"The outbox was created with {found.get('lanes')} lanes, not {lanes}: "
            "rows of a key would change their lane. Use the number it was created with."
        )


def sql(dialect: str, *, since: int = 0, lanes: int = LANES) -> str:
    """The DDL that brings a database of layout `since` (0: none) to this release's, for `postgresql` or `sqlite`."""
    if since >= LAYOUT:
        return ""
    target = _DIALECTS[dialect]()
    lines = []
    for table in Tables.metadata.sorted_tables:
        came = _SINCE.get(table.name, 1)
        if came > since:
            lines.append(str(CreateTable(table).compile(dialect=target)).strip())
        indexes = [index for index in _indexes(table) if _SINCE.get(str(index.name), came) > since]
        lines.extend(str(CreateIndex(index).compile(dialect=target)) for index in indexes)
    lines.extend(_dropped(since=since) if since else ())
    fresh = (insert(LayoutRow).values(_layout(lanes)), insert(LaneRow).values(_free_lanes(lanes)))
    rows: Sequence[UpdateBase] = (_RAISE_LAYOUT,) if since else fresh
    lines.extend(str(row.compile(dialect=target, compile_kwargs={"literal_binds": True})) for row in rows)
    return ";\n".join(lines) + ";\n"


def _create_indexes(connection: Connection) -> None:
    for table in Tables.metadata.sorted_tables:
        for index in _indexes(table):
            index.create(connection, checkfirst=True)


def _dropped(*, since: int) -> list[str]:
    return [statement for layout, statements in _DROP.items() if layout > since for statement in statements]


def _indexes(table: Table) -> list[Index]:
    return sorted(table.indexes, key=lambda index: str(index.name))


def _layout(lanes: int) -> list[dict[str, str | int]]:
    return [{"part": "tables", "version": LAYOUT}, {"part": "lanes", "version": lanes}]


def _free_lanes(lanes: int) -> list[dict[str, int]]:
    return [{"lane": lane, "epoch": 0} for lane in range(lanes)]


@contextmanager
def kept_open(session: AsyncSession) -> Iterator[None]:
    """Within, nobody ends the session's transaction, which has begun: a commit is refused, and after a rollback nothing counts.

    Raises HandlerEndedTransaction. Savepoints are nobody's end.
    """
    sync = session.sync_session
    ours = sync.get_transaction()
    sync.commit = _refuse_commit  # type: ignore[method-assign]  # an event's listener for each session costs more than its transaction
    try:
        yield
    finally:
        del sync.commit
    if sync.get_transaction() is not ours:
        raise HandlerEndedTransaction


def _refuse_commit() -> None:
    raise HandlerEndedTransaction


def is_conflict(error: BaseException) -> bool:
    """Whether the transaction lost against another one, so that running it again at once is right.

    True for serialization failures and deadlocks of PostgreSQL. One of several wins each time: what loses for ever is at fault.
    """
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _CONFLICTS


def is_locked(error: BaseException) -> bool:
    """Whether somebody keeps a lock, on a row or a table of PostgreSQL, for longer than was to be waited for it."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _LOCKED


def is_passing(error: BaseException) -> bool:
    """Whether the same may work a moment later, as nothing is wrong with it."""
    return is_away(error) or is_conflict(error) or is_locked(error)


def is_waited_out(error: BaseException) -> bool:
    """Whether the runtime's own loops wait and ask again: what passes, and a statement of theirs that was cancelled.

    A handler's statement that takes longer than the server allows is the handler's failure.
    """
    return is_passing(error) or (isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _CUT_OFF)


def is_away(error: BaseException) -> bool:
    """Whether the database cannot be reached, went away, or cannot be written: a full disk, a copy that only reads, a broken file.

    So is a file that another process keeps locked, as a backup does: all of it is. A COMMIT that was interrupted may or may not
    have happened.
    """
    if isinstance(error, PoolTimeout) or (isinstance(error, PendingRollbackError) and error.code == _LOST_BEFORE):
        return True
    if not isinstance(error, DBAPIError) or is_conflict(error) or is_locked(error):
        return False
    state = str(getattr(error.orig, "sqlstate", None) or "")
    lost = error.connection_invalidated or state.startswith(_AWAY) or _is_unusable(error.orig)
    return lost or (isinstance(error, OperationalError | InterfaceError) and not state and _is_postgres(error))


def _is_unusable(error: object) -> bool:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & _PRIMARY in _UNUSABLE


def _is_postgres(error: DBAPIError) -> bool:
    return type(error.orig).__module__.startswith("psycopg")
