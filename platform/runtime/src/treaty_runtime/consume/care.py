"""How carefully a partition begins, by how its last owners ended: a record that kills the process is found without a database.

The metadata of commits counts. Progress is committed with `d1`, a good end with nothing. Before its first record a new owner commits the
same offset with one more: who finds `d3` knows that three owners ended there without progress. After a bad end one partition at a time
does so (`trial`), and waits until that record has ended.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from treaty_runtime.transport import Position

CAREFUL_RECORDS = 200
"""After an end that was no good one, so many records run one at a time, each after the commit of the one before."""
CALM_TICKS, TWICE = 5, 2
"""Where two owners ended without progress, nothing begins for so many seconds: who kills processes soon after their start, as
operators and failing probes do, adds nothing to the count of a record that is not at fault.
"""
PROGRESS, GOOD_END = "d1", ""
_MARK = re.compile(r"d([1-9][0-9]{0,3})")

W = TypeVar("W")


def deaths_in(metadata: str) -> int:
    """Ends without progress that a commit's metadata tells; none if it is not ours."""
    match = _MARK.fullmatch(metadata)
    return int(match[1]) if match else 0


@dataclass(slots=True, eq=False)
class Care(Generic[W]):
    """The care for one assignment, until it is over. ``gate`` holds what has arrived and may not begin yet."""

    deaths: int
    found_at: int | None
    is_quarantining: bool
    careful: int
    is_marked: bool = False
    is_asked: bool = False
    has_survived: bool = False
    ticks: int = 0
    running: W | None = None
    gate: deque[W] = field(default_factory=deque)

    @classmethod
    def after(cls, known: Position | None, *, quarantine_after: int) -> Care[W]:
        """By what the last owner left; None: nobody ever committed."""
        deaths = deaths_in(known.metadata) if known is not None else 0
        return cls(
            deaths,
            None if known is None else known.offset,
            is_quarantining=deaths >= quarantine_after,
            careful=CAREFUL_RECORDS if deaths else 0,
        )

    @property
    def is_suspect(self) -> bool:
        """Whether owners ended at what comes next, which has not begun yet: it needs its turn."""
        return self.deaths > 0 and not self.is_marked

    @property
    def is_calm(self) -> bool:
        """Whether it may be tried by now."""
        return self.deaths < TWICE or self.ticks >= CALM_TICKS

    @property
    def mark(self) -> str:
        """What is committed before the first record begins."""
        return f"d{self.deaths + 1}"

    def survived(self) -> None:
        """An attempt ended, however: nothing here kills the process."""
        self.has_survived, self.deaths = True, 0

    def took(self, position: Position) -> None:
        """The broker has a commit."""
        self.is_marked = self.is_marked or position.metadata == self.mark

    def wanted(self, *, committed: int | None, position: int | None) -> Position | None:
        """What has to be committed before anything else may begin; None: nothing.

        ``committed`` is the group's offset, ``position`` the first unfinished one of what arrived.
        """
        offset = committed if committed is not None else position
        if not self.is_marked:
            # Not before a record is there: whoever is killed beside an idle partition was not killed by what comes next.
            return Position(offset, self.mark) if self.gate and offset is not None else None
        if self.careful and position is not None and position != committed:
            return Position(position, PROGRESS)
        return None

    def through(self) -> list[W]:
        """What may begin once nothing is wanted: one after the other, or all when the care is over."""
        if not self.is_marked or self.running is not None or not self.gate:
            return []
        if not self.careful:
            free = list(self.gate)
            self.gate.clear()
            return free
        self.careful -= 1
        self.running = self.gate.popleft()
        return [self.running]

    @property
    def is_over(self) -> bool:
        """Whether records may begin as they come."""
        return self.is_marked and not self.careful and self.running is None and not self.gate

    def end(self, position: int | None) -> Position | None:
        """What a good end commits. Without progress what was counted stays: the record is still there for the next owner."""
        offset = position if position is not None else self.found_at
        if offset is None:
            return None
        is_stuck = self.deaths > 0 and offset == self.found_at
        return Position(offset, f"d{self.deaths}" if is_stuck else GOOD_END)
