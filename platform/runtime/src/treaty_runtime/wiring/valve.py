"""A valve between a group's consumer and its source, for operators: the consumer does not know of it.

Paused, the member stays in the group and fetches nothing more. Released, it leaves as at the end of the process: what runs is
finished and committed; the consumer's next source then waits until the valve opens.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping

from treaty_runtime.control import Valve
from treaty_runtime.event import Partition, Place
from treaty_runtime.transport import Assigned, Lost, Position, Revoking, Source, SourceEvent


class GroupValve:
    """The valve of one group in this process."""

    def __init__(self) -> None:
        self.state = Valve.OPEN
        self._moved = asyncio.Event()
        self._source: ValvedSource | None = None

    def connect(self, make: Callable[[], Source]) -> Source:
        """A source that reads only while the valve lets it."""
        self._source = ValvedSource(self, make)
        return self._source

    async def turn(self, state: Valve) -> None:
        """Does what ``state`` says; returns when the member has done it."""
        before, self.state = self.state, state
        if state is not before and self._source is not None:
            await self._source.turned(state)
        self._moved.set()
        self._moved = asyncio.Event()

    async def until_it_may_join(self) -> None:
        """Returns once the group is not released."""
        while self.state is Valve.RELEASED:
            await self._moved.wait()


class ValvedSource:
    """A ``Source`` behind a valve. The consumer's own pauses and the operator's do not mix."""

    def __init__(self, valve: GroupValve, make: Callable[[], Source]) -> None:
        self._valve, self._make = valve, make
        self._inner: Source | None = None
        self._assigned: set[Partition] = set()
        self._held: set[Partition] = set()
        self._is_closed = asyncio.Event()

    async def events(self) -> AsyncIterator[SourceEvent]:
        """Joins the group as soon as it may, and yields what happens, until closed or released."""
        if not await self._may_join():
            return
        inner = self._inner = self._make()
        async for event in inner.events():
            if isinstance(event, Revoking | Lost):
                self._assigned -= event.partitions
            elif isinstance(event, Assigned):
                self._held -= event.partitions  # nobody pauses what is just coming; the consumer did when it left
            yield event
            if isinstance(event, Assigned):
                self._assigned |= event.partitions
                if self._valve.state is Valve.PAUSED:
                    inner.pause(event.partitions)
        self._inner = None

    def pause(self, partitions: Iterable[Partition]) -> None:
        """Stops fetching, for the consumer's own reasons."""
        named = set(partitions)
        self._held |= named
        if self._inner is not None:
            self._inner.pause(named)

    def resume(self, partitions: Iterable[Partition]) -> None:
        """Fetches again, unless the operator paused too."""
        named = set(partitions)
        self._held -= named
        if self._inner is not None and self._valve.state is Valve.OPEN:
            self._inner.resume(named)

    def seek(self, place: Place) -> None:
        """Reads the partition again from this place."""
        if self._inner is not None:
            self._inner.seek(place)

    async def commit(self, offsets: Mapping[Partition, Position]) -> None:
        """Commits; a member that has left has nothing to commit any more."""
        if self._inner is not None:
            await self._inner.commit(offsets)

    async def close(self) -> None:
        """Leaves the group for good."""
        self._is_closed.set()
        if self._inner is not None:
            await self._inner.close()

    async def turned(self, state: Valve) -> None:
        """The valve was turned while this source stands behind it."""
        if self._inner is None:
            return
        if state is Valve.RELEASED:
            await self._inner.close()
        elif state is Valve.PAUSED:
            self._inner.pause(set(self._assigned))
        else:
            self._inner.resume(self._assigned - self._held)

    @property
    def poll_age_seconds(self) -> float:
        """How long ago the thread turned; 0 while there is none."""
        return float(getattr(self._inner, "poll_age_seconds", 0.0))

    async def _may_join(self) -> bool:
        waits = [asyncio.ensure_future(self._valve.until_it_may_join()), asyncio.ensure_future(self._is_closed.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return not self._is_closed.is_set()
