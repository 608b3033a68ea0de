"""Replays that a service's own process runs: which group and topics, from where to where, and whether the inbox still knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal

from treaty_runtime.consume.reader import Reader
from treaty_runtime.errors import UndeclaredTopic
from treaty_runtime.event import Effects, Partition
from treaty_runtime.handlers import Group
from treaty_runtime.seek import InvalidSeek, Kind, Seek, Span
from treaty_runtime.wire.serde import Serde
from treaty_runtime.wiring.connections import Bounds
from treaty_runtime.wiring.dry_run import UnknownGroup
from treaty_runtime.wiring.replaying import BeyondInbox, Replaying, ReplayReport
from treaty_runtime.world import World


class Replays:
    """Makes and runs replays of a service's groups."""

    def __init__(
        self,
        groups: Sequence[Group],
        *,
        serde: Serde,
        events: Mapping[str, type[Any]],
        bounds: Callable[[], Bounds],
        effects: Callable[[Any], Effects | None],
        remembers: timedelta,
        world: World,
    ) -> None:
        self._groups = {group.name: group for group in groups}
        self._serde, self._events, self._bounds, self._effects = serde, events, bounds, effects
        self._remembers, self._world = remembers, world

    async def run(
        self,
        name: str,
        *,
        start: Seek | Mapping[Partition, int],
        end: Seek,
        topics: Sequence[str],
        shadow: Any,
        shadow_inbox: bool,
        external: Literal["skip", "run"],
        beyond_inbox: bool,
    ) -> ReplayReport:
        """Replays; see ``Runtime.replay``."""
        if Kind.SHIFT in {each.kind for each in (start, end) if isinstance(each, Seek)}:
            raise InvalidSeek(
                "A replay joins no group and has no place of its own to shift from: name an offset or a time."
            )
        group = self._group(name, topics)
        bounds = self._bounds()
        try:
            asked = await self._spans(bounds, topics or group.sources, start, end)
            spans = {partition: span for partition, span in asked.items() if span[0] < span[1]}
            if shadow is None and not beyond_inbox:
                await self._check(bounds, topics or group.sources, {each: span[0] for each, span in spans.items()})
            replaying = Replaying(
                group,
                Reader(group, self._serde, events=self._events),
                self._effects(shadow),
                uses_inbox=shadow is None or shadow_inbox,
                external=external,
                remembers=self._remembers if shadow is None and not beyond_inbox else None,
                now=self._world.now,
                random=self._world.random,
            )
            replaying.report.spans = asked
            return await replaying.run(bounds.read(spans))
        finally:
            bounds.close()

    @staticmethod
    async def _spans(
        bounds: Bounds, topics: Sequence[str], start: Seek | Mapping[Partition, int], end: Seek
    ) -> dict[Partition, Span]:
        if isinstance(start, Seek):
            return await bounds.spans(topics, start=start, end=end)
        held = await bounds.spans(topics, start=Seek(kind=Kind.START), end=end)
        return {each: (max(first, start.get(each, first)), last) for each, (first, last) in held.items()}

    def _group(self, name: str, topics: Sequence[str]) -> Group:
        if name not in self._groups:
            raise UnknownGroup(f"This service has no group {name}, it has {', '.join(sorted(self._groups)) or 'none'}.")
        group = self._groups[name]
        unknown = sorted(set(topics) - set(group.sources))
        if unknown:
            raise UndeclaredTopic(f"{name} does not read {', '.join(unknown)}; it reads {', '.join(group.sources)}.")
        return group

    async def _check(self, bounds: Bounds, topics: Sequence[str], starts: Mapping[Any, int]) -> None:
        known_from = self._world.now() - self._remembers
        remembered = await bounds.spans(topics, start=Seek(kind=Kind.TIME, at=known_from), end=Seek(kind=Kind.END))
        forgotten = [each for each, first in starts.items() if first < remembered.get(each, (first, first))[0]]
        if forgotten:
            raise BeyondInbox(forgotten[0], known_from)
