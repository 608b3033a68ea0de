"""One commit for writes that wait for each other: they take turns in one open transaction, and the last one commits for all.

A commit waits for the disk, and a database with one writer can let others wait with it, or let them in. Laws: one write at a
time; none is answered before the commit that holds it stands; one that raises takes back what it did and nothing else; a
commit that fails fails for its whole group; a group ends when nobody waits for a turn, or when it holds ``MOST`` writes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from treaty.registry.errors import StoreUnavailable

MOST: Final = 32
"""Writes of a group: other processes wait for all of them."""

# Said to the driver: what SQLAlchemy does for a savepoint of its own costs more than most writes.
_SAVEPOINT: Final = "SAVEPOINT one_write"
_RELEASE: Final = "RELEASE one_write"
_TAKE_BACK: Final = ("ROLLBACK TO one_write", _RELEASE)


class Group:
    """An open transaction, how many writes stand in it, and how it ended."""

    def __init__(self, connection: Connection, *, give_back: Callable[[Connection], None]) -> None:
        self.connection, self._give_back = connection, give_back
        self.size = 0
        self.error: BaseException | None = None
        self._ended = threading.Event()

    @property
    def goes_on(self) -> bool:
        """True if another write may follow in this transaction."""
        return 0 < self.size < MOST and self.error is None

    @contextmanager
    def taken_back(self) -> Iterator[None]:
        """What the block does stands in the transaction when it ends well, and is taken back when it raises."""
        if not self.size:
            # Alone so far: if it raises, the whole transaction goes.
            yield
            self.size = 1
            return
        self.connection.exec_driver_sql(_SAVEPOINT)
        try:
            yield
        except BaseException:
            self._or_broken(*_TAKE_BACK)
            raise
        self._or_broken(_RELEASE)
        self.size += 1

    def _or_broken(self, *steps: str) -> None:
        # A database that had no room left has rolled everything back by itself: then nobody's write stands.
        try:
            for step in steps:
                self.connection.exec_driver_sql(step)
        except SQLAlchemyError as error:
            self.error = error
            raise

    def end(self) -> None:
        """Commit what stands, and let everybody know; never raises."""
        try:
            if self.size and self.error is None:
                self._commit()
        except Exception as error:  # noqa: BLE001  # whatever it is, each of the group is told of it
            self.error = error
            # The transaction may be open still, and the pool would give it to the next who asks.
            self.connection.invalidate()
        finally:
            with suppress(SQLAlchemyError):
                self._give_back(self.connection)
            self._ended.set()

    def _commit(self) -> None:
        transaction, driver = self.connection.get_transaction(), self.connection.connection.dbapi_connection
        # sqlite3's commit is silent when there is nothing to commit any more.
        if transaction is None or driver is None or not driver.in_transaction:
            raise StoreUnavailable
        transaction.commit()

    def wait(self) -> None:
        """Return when the commit stands; raises ``StoreUnavailable`` if it failed."""
        self._ended.wait()
        if self.error is not None:
            raise StoreUnavailable from self.error


class GroupCommit:
    """Gives writes their turns.

    ``begin``: a connection in a new write transaction; ``give_back`` takes it again, with what nobody committed still open;
    ``seconds``: how long a turn is waited for.
    """

    def __init__(
        self, begin: Callable[[], Connection], *, give_back: Callable[[Connection], None], seconds: float
    ) -> None:
        self._begin, self._give_back, self._seconds = begin, give_back, seconds
        self._turns = threading.Condition()
        self._is_taken, self._waiting = False, 0
        self._group: Group | None = None

    @property
    def waiting(self) -> int:
        """How many wait for a turn."""
        return self._waiting

    @contextmanager
    def turn(self) -> Iterator[Connection]:
        """A connection to write on, alone; after the block the write stands. Raises ``StoreUnavailable``."""
        self._take()
        try:
            group = self._group
            if group is None:
                group = self._group = Group(self._begin(), give_back=self._give_back)
            with group.taken_back():
                yield group.connection
        finally:
            self._leave()
        group.wait()

    def _take(self) -> None:
        with self._turns:
            self._waiting += 1
            try:
                if not self._turns.wait_for(lambda: not self._is_taken, timeout=self._seconds):
                    raise StoreUnavailable
                self._is_taken = True
            finally:
                self._waiting -= 1

    def _leave(self) -> None:
        with self._turns:
            group = self._group
            # Asked and left under one lock, under which others begin to wait and give up: somebody always ends the group.
            if group is None or (self._waiting and group.goes_on):
                self._free()
                return
        group.end()
        with self._turns:
            self._group = None
            self._free()

    def _free(self) -> None:
        self._is_taken = False
        self._turns.notify()
