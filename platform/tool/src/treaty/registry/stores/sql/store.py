"""``SqlStore``: a store on SQLite or Postgres."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol

from sqlalchemy import Connection, Engine, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from treaty.registry.access.audit import Entry
from treaty.registry.access.directory import Directory
from treaty.registry.access.seal import Verdict, walked
from treaty.registry.errors import StartRefused, StoreConflict, StoreUnavailable, store_fault
from treaty.registry.names import Name
from treaty.registry.stores.migrations import is_known, newest_revision, revision_of, upgrade
from treaty.registry.stores.protocol import Readiness
from treaty.registry.stores.sql.access import (
    SqlRoster,
    add_entries,
    read_chain,
    read_directory,
    read_entries,
    seal_entries,
)
from treaty.registry.stores.sql.postgres import Postgres
from treaty.registry.stores.sql.reader import SqlReader
from treaty.registry.stores.sql.sqlite import Sqlite
from treaty.registry.stores.sql.tables import STATE
from treaty.registry.stores.sql.writer import SqlWriter

DIRECTORY: Final = Name(".__DIRECTORY", "*")
"""What a change of the directory locks: a name that no subject can have."""


class Database(Protocol):
    """What differs between databases."""

    engine: Engine
    migrates_itself: bool
    is_near: bool
    """True if it answers in this process, without a round trip."""

    def reading(self) -> AbstractContextManager[Connection]:
        """A snapshot."""

    def writing(self, own: Name, others: Collection[Name]) -> AbstractContextManager[Connection]:
        """A transaction under locks."""

    def migrating(self) -> AbstractContextManager[Connection]:
        """A transaction in which nobody else migrates."""

    def signal(self) -> int | None:
        """A number that moves whenever the generation may have, or None."""

    def close(self) -> None:
        """Let go of connections."""

    def is_conflict(self, error: DBAPIError) -> bool:
        """True if the decision is worth making again."""


class SqlStore:
    """Schemas in a database; other processes may use the same one."""

    shared = True

    def __init__(self, database: Database) -> None:
        self._database = database
        self.is_near = database.is_near

    @contextmanager
    def read(self) -> Iterator[SqlReader]:
        with self._errors_named(), self._database.reading() as connection:
            yield SqlReader(connection)

    @contextmanager
    def write(self, own: Name, others: Collection[Name] = ()) -> Iterator[SqlWriter]:
        with self._errors_named(), self._database.writing(own, others) as connection:
            yield SqlWriter(connection)

    def generation(self) -> int:
        with self._errors_named(), self._database.reading() as connection:
            return int(connection.execute(select(STATE.c.generation)).scalar_one())

    def directory(self, known: Directory | None = None) -> Directory:
        with self._errors_named(), self._database.reading() as connection:
            return read_directory(connection, known)

    @contextmanager
    def roster(self) -> Iterator[SqlRoster]:
        with self._errors_named(), self._database.writing(DIRECTORY, ()) as connection:
            yield SqlRoster(connection)

    def note(self, entries: Sequence[Entry]) -> None:
        with self._errors_named(), self._database.writing(DIRECTORY, ()) as connection:
            add_entries(connection, entries)

    def audit(self, *, before: int | None = None, limit: int = 100) -> Sequence[tuple[int, Entry]]:
        with self._errors_named(), self._database.reading() as connection:
            return read_entries(connection, before=before, limit=limit)

    def signal(self) -> int | None:
        return self._database.signal()

    def seal(self) -> None:
        with self._errors_named(), self._database.writing(DIRECTORY, ()) as connection:
            seal_entries(connection)

    def walk_audit(self, *, expected: tuple[int, bytes] | None = None) -> Verdict:
        """What a walk along the audit's chain finds."""
        with self._errors_named(), self._database.reading() as connection:
            return walked(read_chain(connection), expected=expected)

    def ready(self) -> Readiness:
        try:
            with self._database.reading() as connection:
                found, wanted = revision_of(connection), newest_revision()
        except SQLAlchemyError as error:
            return Readiness(ready=False, details={"database": type(error).__name__})
        if found == wanted:
            return Readiness(ready=True, details={"database": "ok", "migrations": "ok"})
        if found > wanted:
            # A newer release has migrated while we run. It only added to the tables, so we go on until we are replaced.
            return Readiness(ready=True, details={"database": "ok", "migrations": f"ahead: {found} > {wanted}"})
        return Readiness(ready=False, details={"database": "ok", "migrations": f"behind: {found} < {wanted}"})

    def migrate(self) -> None:
        """Bring the tables to our revision; raises ``StartRefused`` if they are newer."""
        with self._errors_named(), self._database.migrating() as connection:
            found = revision_of(connection)
            if not is_known(found):
                raise StartRefused(
                    f"The database is at revision {found}, which this program (at {newest_revision()}) does not know. "
                    "Start the newer treaty that has written it.",
                    exit_code=3,
                )
            upgrade(connection)

    def require_revision(self) -> None:
        """Raise ``StartRefused`` unless the tables are at our revision."""
        with self._errors_named(), self._database.reading() as connection:
            found, wanted = revision_of(connection), newest_revision()
        if found != wanted:
            raise StartRefused(
                f"The database is at revision {found or 'none'}, this program needs {wanted}. Start with --migrate.",
                exit_code=3,
            )

    def close(self) -> None:
        self._database.close()

    @contextmanager
    def _errors_named(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            if self._database.is_conflict(error):
                raise StoreConflict from error
            raise StoreUnavailable from error
        except SQLAlchemyError as error:
            raise StoreUnavailable from error


def open_store(url: str, *, migrate: bool) -> SqlStore:
    """The store behind a database URL, its tables at our revision.

    SQLite is migrated always, Postgres when asked. Raises ``StartRefused`` (exit code 3) with what to do.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StartRefused(
            "The database URL cannot be read. Write sqlite:///path or postgresql://user@host/name.", exit_code=2
        ) from error
    kind = parsed.get_backend_name()
    if kind not in ("sqlite", "postgresql"):
        raise StartRefused(f"The registry keeps its data in SQLite or Postgres, not in {kind}.", exit_code=2)
    database: Database = Sqlite(parsed) if kind == "sqlite" else Postgres(parsed)
    store = SqlStore(database)
    try:
        if migrate or database.migrates_itself:
            store.migrate()
        store.require_revision()
    except StoreUnavailable as error:
        store.close()
        place = parsed.render_as_string(hide_password=True)
        raise StartRefused(f"The database {place} does not answer: {store_fault(error)}", exit_code=3) from error
    except StartRefused:
        store.close()
        raise
    return store
