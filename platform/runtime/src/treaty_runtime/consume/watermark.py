"""The watermark of a partition: the first unfinished of the offsets that arrived. Only it is ever committed.

Offsets missing between arrivals (compaction, transaction markers) are no work and hold nothing up.
"""

from __future__ import annotations

from collections import deque


class Watermark:
    """Tracks one partition of one assignment. Arrivals come in rising order, completions in any."""

    __slots__ = ("_arrived", "_completed", "_next")

    def __init__(self) -> None:
        self._arrived: deque[int] = deque()
        self._completed: set[int] = set()
        self._next: int | None = None

    def arrived(self, offset: int) -> bool:
        """Notes an offset; False if it lies before what arrived: it is of another log then."""
        if self._next is not None and offset < self._next:
            return False
        self._arrived.append(offset)
        self._next = offset + 1
        return True

    def completed(self, offset: int) -> None:
        """Notes that the work of an arrived offset is done."""
        if self._arrived and self._arrived[0] == offset:
            self._arrived.popleft()
        else:
            self._completed.add(offset)
        while self._arrived and self._arrived[0] in self._completed:
            self._completed.remove(self._arrived.popleft())

    @property
    def position(self) -> int | None:
        """The offset to commit: nothing below it is unfinished. None before the first arrival."""
        return self._arrived[0] if self._arrived else self._next

    @property
    def unfinished(self) -> int:
        """How many arrived offsets are not completed."""
        return len(self._arrived) - len(self._completed)

    @property
    def gap(self) -> int:
        """How far arrivals are ahead of the position, in offsets."""
        return 0 if self._next is None or not self._arrived else self._next - self._arrived[0]
