"""Waits at start until the database answers and has the tables of this release."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from treaty_runtime.errors import LaneCountDiffers, LayoutDiffers, TablesMissing
from treaty_runtime.retry import backoff
from treaty_runtime.sql import database

_FIRST_WAIT, _LONGEST_WAIT = timedelta(milliseconds=200), timedelta(seconds=5)


class TablesCheck:
    """`fault` says why nothing that needs the database has started; None once the tables fit."""

    def __init__(self, engine: AsyncEngine, *, lanes: int, random: Callable[[], float]) -> None:
        self.fault: str | None = "not checked yet"
        self._engine, self._lanes, self._random = engine, lanes, random

    async def passed(self) -> None:
        """Return once the tables fit; an operator may apply the missing statements meanwhile."""
        failures = 0
        while self.fault is not None:
            try:
                await database.check(self._engine, lanes=self._lanes)
                self.fault = None
            except (TablesMissing, LayoutDiffers, LaneCountDiffers) as error:
                self.fault = str(error)
            except (DBAPIError, PoolTimeout) as error:
                if not database.is_waited_out(error):
                    raise
                self.fault = f"the database is away ({type(error).__name__})"
            if self.fault is not None:
                wait = backoff(failures, first=_FIRST_WAIT, ceiling=_LONGEST_WAIT, jitter=self._random())
                await asyncio.sleep(wait.total_seconds())
                failures += 1
