"""Forgets events that no redelivery will bring again, a portion at a time, so that the inbox does not grow for ever."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from treaty_runtime.sql.database import autocommit
from treaty_runtime.sql.forgetting import PORTION, forget, oldest

RETENTION = timedelta(hours=192)
"""A day longer than a topic promises its records unless topics.toml says otherwise (168 h): what comes again by itself is known.

Kafka deletes whole segments, so older records may still be there; whoever reads that far back says so (`--beyond-inbox`).
"""

FORGET = oldest("inbox", by="handled_at")


class InboxCleaning:
    """Deletes rows older than ``retention``."""

    def __init__(self, engine: AsyncEngine, *, retention: timedelta = RETENTION) -> None:
        self._engine, self._retention = autocommit(engine), retention

    async def clean(self, *, portion: int = PORTION) -> int:
        """Deletes everything that is old enough; answers how many rows that were."""
        return await forget(self._engine, FORGET, age=self._retention, portion=portion)
