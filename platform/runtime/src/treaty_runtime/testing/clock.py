"""A clock that stands still until somebody moves it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count

from treaty_runtime.clock import Clock


class VirtualClock(Clock):
    """Starts at an aware instant. Timers fire in order of time, then of setting, when ``step`` reaches them."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._timers: list[tuple[datetime, int, Callable[[], None]]] = []
        self._cancelled: set[int] = set()
        self._numbers = count()

    def now(self) -> datetime:
        """Where it stands."""
        return self._now

    def call_at(self, when: datetime, call: Callable[[], None]) -> Callable[[], None]:
        """Calls when the clock is moved to ``when`` or beyond; a time that has passed counts as now."""
        number = next(self._numbers)
        heappush(self._timers, (max(when, self._now), number, call))
        return lambda: self._cancelled.add(number)

    def step(self, until: datetime) -> bool:
        """Moves to the next timer up to ``until`` and fires it; False if there is none: then it stands at ``until``."""
        while self._timers and self._timers[0][0] <= until:
            when, number, call = heappop(self._timers)
            if number in self._cancelled:
                self._cancelled.remove(number)
                continue
            self._now = when
            call()
            return True
        self._now = max(self._now, until)
        return False

    @property
    def next_timer(self) -> timedelta | None:
        """How far away the next timer is."""
        return self._timers[0][0] - self._now if self._timers else None
