"""Forgets events that no redelivery will bring again, a portion at a time, so that the inbox does not grow for ever."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from treaty_runtime.sql.database import autocommit, is_away, is_conflict
from treaty_runtime.sql.sqltext import statements

RETENTION = timedelta(hours=192)
"""A day longer than a topic keeps its records unless topics.toml says otherwise (168 h): what can come again is known."""
PORTION = 5_000
EVERY = timedelta(minutes=1)

# Members clean side by side: what another one is deleting is left to it. By the database's clock, which wrote the rows.
FORGET = statements(
    "DELETE FROM inbox WHERE ctid IN (SELECT ctid FROM inbox WHERE handled_at < {later}"
    " ORDER BY handled_at LIMIT :portion FOR UPDATE SKIP LOCKED)",
    sqlite="DELETE FROM inbox WHERE rowid IN (SELECT rowid FROM inbox WHERE handled_at < {later}"
    " ORDER BY handled_at LIMIT :portion)",
)


class InboxCleaning:
    """Deletes rows older than ``retention``. A database that is away is asked again a minute later: nothing depends on it."""

    def __init__(self, engine: AsyncEngine, *, retention: timedelta = RETENTION, every: timedelta = EVERY) -> None:
        self._engine, self._retention, self._every = autocommit(engine), retention, every

    async def run(self) -> None:
        """Cleans once a minute until cancelled."""
        while True:
            try:
                await self.clean()
            except (DBAPIError, PoolTimeout) as error:
                if not (is_away(error) or is_conflict(error)):
                    raise
            await asyncio.sleep(self._every.total_seconds())

    async def clean(self, *, portion: int = PORTION) -> int:
        """Deletes everything that is old enough, each portion by a statement of its own; answers how many rows that were."""
        total = 0
        while True:
            gone = await self._forget(portion)
            total += gone
            if gone < portion:
                return total
            await asyncio.sleep(0)

    async def _forget(self, portion: int) -> int:
        seconds = -self._retention.total_seconds()
        async with self._engine.connect() as connection:
            statement = FORGET[connection.dialect.name]
            return (await connection.execute(statement, {"seconds": seconds, "portion": portion})).rowcount
