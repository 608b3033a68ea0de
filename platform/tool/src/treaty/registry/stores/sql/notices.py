"""Hearing from Postgres at once what other processes have ended: ``LISTEN`` on a connection of its own.

Law: the count moves with every notice and with every new connection, for what was said while nobody listened is unknown.
"""

from __future__ import annotations

import threading
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

CHANNEL: Final = "treaty_registry"
_WAIT_SECONDS: Final = 1.0


def own_connection(engine: Engine) -> Any:
    """A connection of the database's driver that the pool gives away for good; close it. Raises the driver's errors."""
    pooled = engine.raw_connection()
    connection = pooled.driver_connection
    pooled.detach()
    return connection


class Notices:
    """Counts notices on a thread of its own, which the first question starts."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._count, self._is_listening = 0, False
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def count(self) -> int | None:
        """How often something was heard; None while nobody listens."""
        if self._thread is None:
            self._start()
        return self._count if self._is_listening else None

    def close(self) -> None:
        """Stop listening; waits until the thread has ended."""
        self._closed.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._run, name="registry-notices", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                self._listen()
            except (DBAPIError, self._engine.dialect.loaded_dbapi.Error, OSError):
                self._is_listening = False
                self._closed.wait(_WAIT_SECONDS)

    def _listen(self) -> None:
        connection = own_connection(self._engine)
        try:
            connection.autocommit = True
            connection.execute(f"LISTEN {CHANNEL}")
            self._count += 1
            self._is_listening = True
            while not self._closed.is_set():
                for _ in connection.notifies(timeout=_WAIT_SECONDS):
                    self._count += 1
        finally:
            self._is_listening = False
            connection.close()
