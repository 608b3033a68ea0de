"""What a relay does beside its waiting: it reads the next batch while the broker answers, and deletes one while the next is sent.

Laws: what was read ahead counts only if every row before it was acknowledged and the lanes are the same ones, under the same
epochs. Nobody reads anew, or gives lanes back, before the delete under way has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

from treaty_runtime.publish.backlog import Pending


class Ahead:
    """At most one read and one delete that nobody waits for yet."""

    def __init__(self) -> None:
        self._reading: asyncio.Task[list[Pending]] | None = None
        self._epochs: Mapping[int, int] = {}
        self._deleting: asyncio.Task[None] | None = None

    def read(self, work: Coroutine[Any, Any, list[Pending]], *, epochs: Mapping[int, int]) -> None:
        """Begins to read for lanes under these epochs."""
        self._reading, self._epochs = asyncio.create_task(work), epochs

    async def rows(self, epochs: Mapping[int, int]) -> list[Pending]:
        """What was read ahead for these lanes; none: look. Raises what the read raised."""
        reading, self._reading = self._reading, None
        if reading is None:
            return []
        rows = await reading
        return rows if epochs == self._epochs else []

    async def forget(self) -> None:
        """Rows before those that were read ahead wait: what was read says nothing about their keys."""
        reading, self._reading = self._reading, None
        if reading is not None:
            # Waited for, not cancelled: a statement that is cut off keeps SQLite's lock until its cursor is collected.
            await asyncio.wait({reading})
            reading.exception()  # who looks again meets it again

    def delete(self, work: Coroutine[Any, Any, None]) -> None:
        """Begins to write down what the broker said."""
        self._deleting = asyncio.create_task(work)

    async def deleted(self) -> None:
        """Waits for the delete under way; raises what it raised."""
        deleting, self._deleting = self._deleting, None
        if deleting is not None:
            await deleting

    async def ended(self) -> None:
        """Nothing is under way any more."""
        await self.forget()
        await self.deleted()
