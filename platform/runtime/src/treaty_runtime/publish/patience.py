"""Answers that are waited for, but not for ever: one timer for all of them, as most come at once and a timer each costs more."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any


class Patience:
    """Fails futures that nobody has answered in time. Belongs to one event loop at a time."""

    def __init__(self) -> None:
        self._waiting: dict[float, deque[tuple[float, asyncio.Future[Any], Callable[[], Exception]]]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, future: asyncio.Future[Any], *, seconds: float, failure: Callable[[], Exception]) -> None:
        """Gives the future ``failure()`` after ``seconds`` unless it is done by then."""
        loop = future.get_loop()
        waiting = self._waiting.get(seconds)
        if waiting is None:
            waiting = self._waiting[seconds] = deque()
        while waiting and waiting[0][1].done():  # equal patience ends in the order in which it began
            waiting.popleft()
        due = loop.time() + seconds
        waiting.append((due, future, failure))
        timer = self._timer
        if timer is None or timer.when() > due or timer.cancelled():
            if timer is not None:
                timer.cancel()
            self._timer = loop.call_at(due, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        for seconds, waiting in tuple(self._waiting.items()):
            while waiting and (waiting[0][1].done() or waiting[0][0] <= now):
                _, future, failure = waiting.popleft()
                if not future.done():
                    future.set_exception(failure())
            if not waiting:
                del self._waiting[seconds]
        if self._waiting:
            self._timer = loop.call_at(min(waiting[0][0] for waiting in self._waiting.values()), self._look, loop)
