"""A store that did not answer is left alone for a while: whoever asks meanwhile hears so at once, and looks into the table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from functools import partial
from time import monotonic
from typing import TypeVar

from treaty_runtime.delay.due_times import LEASE_SECONDS, Claim, Claimed, DueTimes
from treaty_runtime.errors import Outage

REST_SECONDS = 5.0
"""As long as a Redis that is silent lets wait: with a look in vain before each look into the table, that would be five times as slow."""

T = TypeVar("T")


class Breaker:
    """Due times that raise the last Outage at once for `REST_SECONDS` after it; `clock` is monotonic, in seconds."""

    def __init__(self, due_times: DueTimes, *, clock: Callable[[], float] = monotonic) -> None:
        self._due_times, self._clock = due_times, clock
        self._outage: Outage | None = None
        self._rests_until = 0.0

    async def push(self, queue: str, jobs: Iterable[tuple[str, datetime]], *, replace: bool = False) -> None:
        """As the store's."""
        await self._asked(partial(self._due_times.push, queue, jobs, replace=replace))

    async def claim(self, queue: str, *, limit: int, lease: float = LEASE_SECONDS) -> Claimed:
        """As the store's."""
        return await self._asked(partial(self._due_times.claim, queue, limit=limit, lease=lease))

    async def extend(self, queue: str, claim: Claim, *, lease: float = LEASE_SECONDS) -> bool:
        """As the store's."""
        return await self._asked(partial(self._due_times.extend, queue, claim, lease=lease))

    async def acknowledge(self, queue: str, claim: Claim) -> bool:
        """As the store's."""
        return await self._asked(partial(self._due_times.acknowledge, queue, claim))

    async def again(self, queue: str, claim: Claim, *, due: datetime) -> bool:
        """As the store's."""
        return await self._asked(partial(self._due_times.again, queue, claim, due=due))

    async def may_sweep(self, queue: str, *, owner: str, seconds: float) -> bool:
        """As the store's."""
        return await self._asked(partial(self._due_times.may_sweep, queue, owner=owner, seconds=seconds))

    async def close(self) -> None:
        """Ends the connections that are the store's own."""
        await self._due_times.close()

    async def _asked(self, ask: Callable[[], Awaitable[T]]) -> T:
        if self._outage is not None and self._clock() < self._rests_until:
            raise Outage(str(self._outage), dependency=self._outage.dependency)
        try:
            return await ask()
        except Outage as error:
            self._outage, self._rests_until = error, self._clock() + REST_SECONDS
            raise
