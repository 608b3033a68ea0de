"""Cleans a table now and then, for as long as the process lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from treaty_runtime.outages import Outages
from treaty_runtime.sql.database import is_waited_out

EVERY = timedelta(minutes=1)


class Cleaning:
    """Calls ``clean`` again and again. A database that is away is asked again later: nothing depends on it, but it is told."""

    def __init__(self, clean: Callable[[], Awaitable[object]], *, outages: Outages, every: timedelta = EVERY) -> None:
        self._clean, self._outages, self._every = clean, outages, every

    async def run(self) -> None:
        """Cleans until cancelled."""
        while True:
            try:
                await self._clean()
            except (DBAPIError, PoolTimeout) as error:
                if not is_waited_out(error):
                    raise
                self._outages.began("database", error=str(error))
            else:
                self._outages.ended("database")
            await asyncio.sleep(self._every.total_seconds())
