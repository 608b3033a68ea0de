"""Forgets events that no redelivery will bring again, a portion at a time, so that the inbox does not grow for ever."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from treaty_runtime.sql.database import autocommit, is_waited_out
from treaty_runtime.sql.forgetting import PORTION, forget, oldest

RETENTION = timedelta(hours=192)
"""A day longer than a topic promises its records unless topics.toml says otherwise (168 h): what comes again by itself is known.

Kafka deletes whole segments, so older records may still be there; whoever reads that far back says so (`--beyond-inbox`).
"""
EVERY = timedelta(minutes=1)

FORGET = oldest("inbox", by="handled_at")


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
                if not is_waited_out(error):
                    raise
            await asyncio.sleep(self._every.total_seconds())

    async def clean(self, *, portion: int = PORTION) -> int:
        """Deletes everything that is old enough; answers how many rows that were."""
        return await forget(self._engine, FORGET, age=self._retention, portion=portion)
