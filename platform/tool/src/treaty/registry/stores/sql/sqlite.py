"""SQLite: one file, one writer at a time, every acknowledged write on the disk."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from treaty.registry.names import Name
from treaty.registry.stores.sql.group_commit import GroupCommit
from treaty.registry.stores.sql.network_files import require_own_disk
from treaty.registry.stores.sql.notices import own_connection

LOCK_SECONDS: Final = 5.0
_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={int(LOCK_SECONDS * 1000)}",
)
_BEGIN: Final = "treaty_begin"


class Sqlite:
    """The engine of a file, and how reads and writes begin on it."""

    migrates_itself = True
    is_near = True

    def __init__(self, url: URL) -> None:
        path = Path(url.database or "registry.db")
        require_own_disk(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.engine: Engine = create_engine(
            url.set(drivername="sqlite+pysqlite", database=str(path)),
            connect_args={"check_same_thread": False, "timeout": LOCK_SECONDS},
            pool_size=16,
            hide_parameters=True,  # errors are shown and logged; what was stored is not
            max_overflow=-1,
        )
        event.listen(self.engine, "connect", _configure)
        event.listen(self.engine, "connect", self._note_file)
        event.listen(self.engine, "begin", _begin)
        # Threads of this process take turns there instead of polling SQLite's lock; other processes wait on busy_timeout.
        self.turns = GroupCommit(self._begun, give_back=self._given_back, seconds=LOCK_SECONDS)
        self._path, self._file = str(path), _identity(str(path))  # None until it is made
        self._idle: list[Connection] = []
        self._writing: list[Connection] = []  # one at most; like of those that read, a thread takes it or another does
        self._is_closed = False
        self._watcher: Any = None
        self._watching = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection in a transaction that sees one snapshot."""
        self._require_file()
        # Kept open from read to read: to lend one out and take it back costs the pool as much as the database its answer.
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self.engine.connect()
        try:
            with connection.begin():
                yield connection
        except BaseException:
            self._end(connection)
            raise
        self._idle.append(connection)
        if self._is_closed:
            self._end_kept()

    def writing(self, own: Name, others: Collection[Name]) -> AbstractContextManager[Connection]:  # noqa: ARG002  # one lock for all
        """A connection in the one write transaction there is; when the block has ended, what it did is on the disk."""
        return self.turns.turn()

    def _begun(self) -> Connection:
        self._require_file()
        # Kept open like those that read; one write at a time, so there is one.
        try:
            connection = self._writing.pop()
        except IndexError:
            connection = self.engine.connect().execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
        try:
            connection.begin()
        except BaseException:
            self._end(connection)
            raise
        return connection

    def _given_back(self, connection: Connection) -> None:
        if connection.invalidated or connection.in_transaction():
            self._end(connection)
        else:
            self._writing.append(connection)
            if self._is_closed:
                self._end_kept()

    def _note_file(self, _connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        if self._file is None:
            self._file = _identity(self._path)

    def _require_file(self) -> None:
        # Else what is written would be acknowledged, and be gone with the last connection to a file without a name.
        if self._file is not None and _identity(self._path) != self._file:
            gone = (
                f"{self._path} was removed or replaced while it was in use. Put it back, or start the registry again."
            )
            raise OperationalError("BEGIN", None, sqlite3.OperationalError(gone))

    def _end(self, connection: Connection) -> None:
        if self._is_closed and not connection.invalidated:
            connection.invalidate()  # the pool it came from was disposed of, and would keep it
        connection.close()

    def _end_kept(self) -> None:
        for kept in (self._idle, self._writing):
            with suppress(IndexError):
                while True:
                    self._end(kept.pop())

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """A connection under which no one else migrates."""
        with self.writing(Name(".", ""), ()) as connection:
            yield connection

    def signal(self) -> int | None:
        """SQLite's own count of commits by other connections; None if the file cannot be asked."""
        with self._watching:
            try:
                if self._watcher is None:
                    self._watcher = own_connection(self.engine)
                return int(self._watcher.execute("PRAGMA data_version").fetchone()[0])
            except (SQLAlchemyError, self.engine.dialect.loaded_dbapi.Error):
                return None

    def close(self) -> None:
        """Let go of the connections; of those in use when they are given back."""
        self._is_closed = True
        with self._watching:
            if self._watcher is not None:
                self._watcher.close()
        self._end_kept()
        self.engine.dispose()

    def is_conflict(self, error: DBAPIError) -> bool:  # noqa: ARG002  # the same question for every database
        """Never: whoever writes is alone."""
        return False


def _identity(path: str) -> tuple[int, int] | None:
    """What tells a file from a later one of its name; None without one."""
    try:
        found = os.stat(path)  # noqa: PTH116  # before each read and write: a Path takes twice as long
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _configure(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    # pysqlite would begin by itself, late and never IMMEDIATE; now only ``_begin`` does.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: Connection) -> None:
    statement, driver = connection.get_execution_options().get(_BEGIN), connection.connection.dbapi_connection
    if statement is not None or driver is None:
        connection.exec_driver_sql(statement or "BEGIN")
    else:
        # Each read begins with this; SQLAlchemy would prepare for an answer. It takes no lock, yet fails
        # where memory or the file is gone; said as SQLAlchemy says what it runs itself.
        try:
            driver.execute("BEGIN")
        except sqlite3.Error as error:
            raise OperationalError("BEGIN", None, error) from error
