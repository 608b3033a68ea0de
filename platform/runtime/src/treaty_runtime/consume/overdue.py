"""Which jobs have had their time, on a host whose clock may be set, and in a process that may be frozen for a while.

Looked at once a second. A look that comes far too late, or before the one before it, means that the clock jumped or that nothing ran:
what was under way then gets its time anew, as far as it had it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

_JUMP = timedelta(seconds=5)
"""A look is late by less than this on a busy machine; by more it is a jump."""


class Timed(Protocol):
    """A job: when it began, when its time is over, and whether it is."""

    began: datetime | None
    deadline: datetime | None
    is_overdue: bool


class Overdue:
    """``every``: the time between two looks."""

    def __init__(self, every: timedelta) -> None:
        self._every = every
        self._looked: datetime | None = None

    def mark(self, jobs: Iterable[Timed], now: datetime) -> bool:
        """Marks those whose time is over; whether there are any."""
        looked, self._looked = self._looked, now
        before = now if looked is None else looked
        jump = now - before - self._every
        has_marked = False
        for job in jobs:
            if job.deadline is None:
                continue
            if abs(jump) > _JUMP and looked is not None and _is_older(job, before, jump):
                job.deadline += jump
            if job.deadline <= now:
                job.is_overdue = has_marked = True
        return has_marked


def _is_older(job: Timed, before: datetime, jump: timedelta) -> bool:
    """Whether it began before the jump: by the clock of then, on its side of the middle."""
    return job.began is None or (job.began < before + jump / 2) == (jump > timedelta(0))
