"""After many failures in a row records run one by one, a pause apart: a handler that is broken shall not empty a topic into dead letters.

Any success ends it. Copies of failed records are not held: they run no handler.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import timedelta

from treaty_runtime.consume.actions import Pace
from treaty_runtime.consume.intake import Work


class Throttle:
    """Counts failures; from ``after`` on (0: never) it holds what would begin and lets one go each ``pause``."""

    def __init__(self, *, after: int, pause: timedelta) -> None:
        self._after, self._pause = after, pause
        self.failures = 0
        """In a row; asked for every record."""
        self._held: deque[Work] = deque()
        self._next: Work | None = None

    @property
    def is_on(self) -> bool:
        """Whether records run one by one now."""
        return 0 < self._after <= self.failures

    def failed(self) -> None:
        """One more failure in a row."""
        self.failures += 1

    def hold(self, work: Work) -> Sequence[Pace]:
        """Takes work whose turn has come; asks for a call of ``paced`` if nobody waits for one."""
        self._held.append(work)
        return self._ask()

    def paced(self, work: Work) -> Sequence[Pace] | None:
        """The pause before this work is over: who is next; None if it is not the one that waits, so that it must not begin."""
        if self._next is not work:
            return None
        self._next = None
        return self._ask()

    def succeeded(self) -> Iterable[Work]:
        """Ends it; answers everything that was held, in order."""
        self.failures = 0
        held = [] if self._next is None else [self._next]
        held += self._held
        self._next = None
        self._held.clear()
        return held

    def forget_leaving(self) -> Sequence[Pace]:
        """Drops work of partitions that left."""
        self._held = deque(work for work in self._held if not work.assignment.is_leaving)
        if self._next is not None and self._next.assignment.is_leaving:
            self._next = None
            return self._ask()
        return ()

    def _ask(self) -> Sequence[Pace]:
        if self._next is not None or not self._held:
            return ()
        work = self._next = self._held.popleft()
        return (Pace(work.place, self._pause, work.assignment.epoch),)
