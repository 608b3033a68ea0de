"""A transport whose sources bring what a test tells them to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from treaty_runtime.handlers import Group
from treaty_runtime.transport import Broken, Source, SourceEvent
from treaty_runtime.transport.memory import MemoryBroker
from treaty_runtime.wiring.connections import MemoryConnections


class Script(MemoryConnections):
    """What the sources of a group bring, one after the other; a source that is an error cannot be made."""

    def __init__(self, *sources: Sequence[SourceEvent] | Exception) -> None:
        super().__init__(MemoryBroker())
        self._sources = iter(sources)
        self.next: asyncio.Queue[SourceEvent | None] = asyncio.Queue()

    def source(self, group: Group) -> Source:
        return _Scripted(super().source(group), next(self._sources), self.next)


class _Scripted:
    def __init__(
        self, source: Source, told: Sequence[SourceEvent] | Exception, then: asyncio.Queue[SourceEvent | None]
    ) -> None:
        self._source, self._told, self._then = source, told, then

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    async def events(self) -> AsyncIterator[SourceEvent]:
        if isinstance(self._told, Exception):
            raise self._told
        for event in self._told:
            yield event
        if not any(isinstance(event, Broken) for event in self._told):
            while (told := await self._then.get()) is not None:
                yield told

    async def close(self) -> None:
        """Ends the events."""
        self._then.put_nowait(None)
