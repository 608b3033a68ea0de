"""Looks each minute for what is due in a service's own tables, should Redis have forgotten it, and now and then for what is left over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from mall.work import Desk

SWEEP_EVERY = timedelta(seconds=60)
Sweep = Callable[[Desk], Awaitable[int]]
log = logging.getLogger("mall.sweeper")


async def sweep_for_ever(desk: Desk, *sweeps: Sweep, every: timedelta = SWEEP_EVERY) -> None:
    """Sweep until cancelled; a database or a disk that is away is asked again the next time."""
    while True:
        for sweep in sweeps:
            try:
                await sweep(desk)
            except (DBAPIError, PoolTimeout, OSError) as error:
                log.warning("The sweep %s failed: %s", sweep.__name__, type(error).__name__)
        await asyncio.sleep(every.total_seconds())
