"""The sockets of this node: a queue per connection, filled by the push group.

Law: a slow reader never slows the others down; when its queue is full, its connection ends and it resumes from the table.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

QUEUE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """One live notification."""

    sequence: int
    kind: str
    title: str
    body: str
    link: str | None
    at: datetime


@dataclass(eq=False, slots=True)
class Line:
    """One connection's queue; `is_full` is set once it had to drop something."""

    user_id: int
    queue: asyncio.Queue[Push] = field(default_factory=lambda: asyncio.Queue(QUEUE))
    is_full: asyncio.Event = field(default_factory=asyncio.Event)


class Hub:
    """Hands live notifications to the connections of their user."""

    def __init__(self) -> None:
        self._lines: defaultdict[int, set[Line]] = defaultdict(set)

    def join(self, user_id: int) -> Line:
        """A new connection of a user; from now on its queue fills."""
        line = Line(user_id)
        self._lines[user_id].add(line)
        return line

    def leave(self, line: Line) -> None:
        """The connection ended."""
        lines = self._lines[line.user_id]
        lines.discard(line)
        if not lines:
            del self._lines[line.user_id]

    def push(self, user_id: int, notice: Push) -> None:
        """Queue a notification for every connection of the user."""
        for line in self._lines.get(user_id, ()):
            try:
                line.queue.put_nowait(notice)
            except asyncio.QueueFull:
                line.is_full.set()

    @property
    def connections(self) -> int:
        """How many connections this node holds."""
        return sum(map(len, self._lines.values()))
