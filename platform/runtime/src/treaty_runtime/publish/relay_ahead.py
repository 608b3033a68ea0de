"""What a relay does beside its sending and waiting: it reads the batch after, and deletes the one before.

Laws: what was read ahead counts only if every row before it was acknowledged, soon, and the lanes are the same ones, under the
same epochs. Nobody reads before the delete under way has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from treaty_runtime.publish.backlog import Pending

FRESH_SECONDS = 0.5
"""For so long what was read ahead counts: an operator may discard rows meanwhile."""


class Ahead:
    """At most one read and one delete that nobody waits for yet."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._begun = clock, 0.0
        self._reading: asyncio.Task[list[Pending]] | None = None
        self._epochs: Mapping[int, int] | None = None
        self._deleting: asyncio.Task[None] | None = None

    @property
    def tasks(self) -> set[asyncio.Task[Any]]:
        """What is under way, or ended and was not looked at."""
        return {task for task in (self._reading, self._deleting) if task is not None}

    def read(self, work: Callable[[], Awaitable[list[Pending]]], *, epochs: Mapping[int, int]) -> None:
        """Begins to read for lanes under these epochs, once the delete under way has ended."""
        self._reading, self._epochs = asyncio.create_task(self._read(work, self._deleting)), epochs
        self._begun = self._clock()

    @staticmethod
    async def _read(work: Callable[[], Awaitable[list[Pending]]], deleting: asyncio.Task[None] | None) -> list[Pending]:
        if deleting is not None:
            await asyncio.wait({deleting})
        return await work()

    async def rows(self, epochs: Mapping[int, int]) -> list[Pending]:
        """What was read ahead for these lanes; none: look. Raises what the read raised."""
        if self._reading is None:
            return []
        await asyncio.wait({self._reading})
        reading, self._reading = self._reading, None
        if self._epochs != epochs or self._clock() - self._begun > FRESH_SECONDS:
            reading.exception()  # who looks again meets it again
            return []
        return reading.result()

    def forget(self) -> None:
        """Rows before those that are read ahead wait: what is read says nothing about their keys."""
        self._epochs = None

    def delete(self, work: Coroutine[Any, Any, None]) -> None:
        """Begins to write down what the broker said."""
        self._deleting = asyncio.create_task(work)

    async def deleted(self) -> None:
        """Waits for the delete under way; raises what it raised."""
        if self._deleting is not None:
            await asyncio.wait({self._deleting})
            deleting, self._deleting = self._deleting, None
            deleting.result()

    async def ended(self) -> None:
        """Nothing is under way any more. Waited for, not cancelled: a statement that is cut off keeps SQLite's lock for a while."""
        self.forget()
        await self.rows({})
        await self.deleted()
