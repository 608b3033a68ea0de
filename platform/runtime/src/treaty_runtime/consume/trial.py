"""Whose record ended the process: what an owner died of before is tried one partition, or one held record, at a time."""

from __future__ import annotations

PATIENCE_TICKS = 10
"""A record that takes longer than so many seconds lets the next partition begin beside it."""


class Trial:
    """The turn of what is suspected in a process, partitions and held records; one is shared by all its groups.

    Were all tried at once, a death would be counted against each of them, and three kills from outside, or one bad record, would set
    aside records that have harmed nobody.
    """

    def __init__(self) -> None:
        self._holder: object | None = None
        self._ticks = 0

    @property
    def is_free(self) -> bool:
        """Whether nobody has the turn."""
        return self._holder is None

    def take(self, who: object) -> bool:
        """Whether it has the turn now."""
        if self._holder is None:
            self._holder, self._ticks = who, 0
        return self._holder is who

    def leave(self, who: object) -> bool:
        """Gives the turn back; whether it had it."""
        had = self._holder is who
        self._holder = None if had else self._holder
        return had

    def tick(self, who: object) -> bool:
        """A second of the holder's turn is over; whether that was the last one."""
        if self._holder is not who:
            return False
        self._ticks += 1
        return self._ticks >= PATIENCE_TICKS and self.leave(who)
