"""Postgres: any number of processes, no leader; order comes from advisory locks (``locks``)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, IntegrityError

from treaty.registry.names import TOP, Name
from treaty.registry.stores.sql.locks import locks_of
from treaty.registry.stores.sql.notices import Notices

POOL_SIZE: Final = 8
STATEMENT_MILLISECONDS: Final = 5_000

_SERIALIZATION_FAILURE: Final = "40001"
_DEADLOCK_DETECTED: Final = "40P01"


class Postgres:
    """The engine of a database, and how reads and writes begin on it."""

    migrates_itself = False
    is_near = False

    def __init__(self, url: URL) -> None:
        self.engine: Engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=POOL_SIZE,
            hide_parameters=True,  # errors are shown and logged; what was stored is not
            max_overflow=0,
            pool_timeout=STATEMENT_MILLISECONDS / 1000,
            connect_args={"options": f"-c statement_timeout={STATEMENT_MILLISECONDS}", "connect_timeout": 5},
            isolation_level="READ COMMITTED",
        )
        self._notices = Notices(self.engine)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection in a transaction that sees one snapshot."""
        with (
            self.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def writing(self, own: Name, others: Collection[Name]) -> Iterator[Connection]:
        """A connection in a transaction that holds the locks of this write; commits when the block ends.

        READ COMMITTED, because each statement after the locks has to see what their last holder committed.
        """
        with self.engine.connect() as connection, connection.begin():
            locks = locks_of(own, others)
            calls = ", ".join(f"pg_advisory_xact_lock{'' if lock.is_exclusive else '_shared'}(%s)" for lock in locks)
            connection.exec_driver_sql(f"SELECT {calls}", tuple(lock.key for lock in locks))
            yield connection

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """A connection under which no one else migrates."""
        with self.writing(TOP, ()) as connection:
            yield connection

    def signal(self) -> int | None:
        """How many notices of other processes were heard; None while nobody listens."""
        return self._notices.count()

    def close(self) -> None:
        """Stop listening and let go of the connections."""
        self._notices.close()
        self.engine.dispose()

    def is_conflict(self, error: DBAPIError) -> bool:
        """True if another writer came first: a decision made anew can succeed."""
        state = getattr(error.orig, "sqlstate", None)
        return isinstance(error, IntegrityError) or state in (_SERIALIZATION_FAILURE, _DEADLOCK_DETECTED)
