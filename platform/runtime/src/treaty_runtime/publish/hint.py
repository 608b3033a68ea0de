"""Tells relays in other processes that rows were committed: NOTIFY on PostgreSQL, nothing on SQLite.

Law: only a hint. It is sent after the commit on a connection of its own, because NOTIFY inside a transaction makes all
commits of the database wait for each other; a lost one costs at most the relay's poll.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from treaty_runtime.sql.database import autocommit

NOTIFY, LISTEN = text("NOTIFY treaty_outbox"), "LISTEN treaty_outbox"
AT_MOST_EVERY_SECONDS = 0.01
_AGAIN_SECONDS = 5.0


class Hint:
    """Sends and receives hints of one database, at most one each 10 ms."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = autocommit(engine)
        self._can_notify = engine.dialect.name == "postgresql"
        self._wanted = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def send(self) -> None:
        """Something was committed; safe from any thread, nothing happens before `run`."""
        if self._loop is not None and self._can_notify:
            self._loop.call_soon_threadsafe(self._wanted.set)

    async def run(self, received: Callable[[], None]) -> None:
        """Send what is wanted and call `received` for each hint, until cancelled."""
        if self._can_notify:
            self._loop = asyncio.get_running_loop()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._notify())
                group.create_task(self._listen(received))

    async def _notify(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                async with self._engine.connect() as connection:
                    await connection.execute(NOTIFY)
            except (DBAPIError, PoolTimeout):
                continue
            await asyncio.sleep(AT_MOST_EVERY_SECONDS)

    async def _listen(self, received: Callable[[], None]) -> None:
        while True:
            try:
                async with self._engine.connect() as connection:
                    # The driver's own connection: SQLAlchemy has no word for notifications.
                    driver: Any = (await connection.get_raw_connection()).driver_connection
                    await driver.execute(LISTEN)
                    async for _ in driver.notifies():
                        received()
            except (DBAPIError, PoolTimeout, OSError):
                pass
            except Exception as error:
                if not type(error).__module__.startswith("psycopg"):
                    raise
            await asyncio.sleep(_AGAIN_SECONDS)
