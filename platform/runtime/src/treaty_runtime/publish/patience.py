"""Answers that are waited for, but not for ever: one timer for all of them, as most come at once and a timer each costs more."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

_CROWD = 10_000
"""Answered ones behind an unanswered one are kept up to this number, or as many again as are unanswered."""


_Wait = tuple[float, "asyncio.Future[Any]", Callable[[float], Exception]]
"""When the patience ends; who waits; what it then fails with. A plain tuple: one is made for each event."""


class Patience:
    """Fails futures that nobody has answered in time. Belongs to one event loop."""

    def __init__(self, *, crowd: int = _CROWD) -> None:
        self._waiting: dict[float, deque[_Wait]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._crowd = self._limit = crowd

    def __len__(self) -> int:
        """How many futures are held."""
        return sum(map(len, self._waiting.values()))

    def watch(self, future: asyncio.Future[Any], seconds: float, failure: Callable[[float], Exception]) -> None:
        """Gives the future ``failure(seconds)`` after ``seconds`` unless it is done by then."""
        loop = future.get_loop()
        waiting = self._waiting.get(seconds)
        if waiting is None:
            waiting = self._waiting[seconds] = deque()
        while waiting and waiting[0][1].done():  # equal patience ends in the order in which it began
            waiting.popleft()
        due = loop.time() + seconds
        waiting.append((due, future, failure))
        if len(waiting) > self._limit:
            waiting = self._waiting[seconds] = deque(each for each in waiting if not each[1].done())
            self._limit = max(self._crowd, 2 * len(waiting))
        if self._timer is None or self._timer.when() > due:
            self._set_timer(loop, due)

    def _set_timer(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(due, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        for seconds, waiting in tuple(self._waiting.items()):
            while waiting and (waiting[0][1].done() or waiting[0][0] <= now):
                _, future, failure = waiting.popleft()
                if not future.done():
                    future.set_exception(failure(seconds))
            if not waiting:
                del self._waiting[seconds]
        if self._waiting:
            self._set_timer(loop, min(waiting[0][0] for waiting in self._waiting.values()))
