"""Answers to whoever watches: each is made once for all who wait for it at the same moment.

Laws: who asks and goes away leaves no work behind that others must wait for; each path has threads of its own, so that none
keeps another waiting; no more answers than ``AT_WORK`` are being made, whoever asks; and no more than ``WAITING`` wait for
those of one path.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Hashable
from typing import Final, TypeAlias, TypeVar

from treaty.registry.errors import StoreUnavailable
from treaty.registry.http.answers import Answer
from treaty.registry.http.hands import Hands

A = TypeVar("A")
Key: TypeAlias = tuple[str, Hashable]

AT_WORK: Final = 16
THREADS: Final = 2
"""Of each path: one, and one beside an answer that takes long."""

WAITING: Final = 1_024
"""Who has gone waits on, for no longer than the answer takes."""


class Watch:
    """Makes answers in threads of its own. For one loop at a time."""

    def __init__(self) -> None:
        self._hands: dict[str, Hands] = {}
        self._made: dict[Key, asyncio.Task[Answer]] = {}
        self._waiting = Counter[str]()
        self._is_closed = False

    async def answer(self, path: str, kind: Hashable, make: Callable[[A], Answer], work: A) -> Answer:
        """What ``make`` answers, for all who ask for this ``kind`` of the path's answer until it is there.

        Raises ``StoreUnavailable`` while too many others are being made or too many wait, and once closed.
        """
        if self._waiting[path] >= WAITING:
            raise StoreUnavailable
        task = self._making(path, kind, make, work)
        self._waiting[path] += 1
        try:
            # Who leaves takes the answer from nobody else.
            return await asyncio.shield(task)
        finally:
            self._waiting[path] -= 1

    def _making(self, path: str, kind: Hashable, make: Callable[[A], Answer], work: A) -> asyncio.Task[Answer]:
        key = (path, kind)
        task = self._made.get(key)
        if task is None:
            if self._is_closed or len(self._made) >= AT_WORK:
                raise StoreUnavailable
            hands = self._hands.setdefault(path, Hands(THREADS, at_once=THREADS))
            task = self._made[key] = asyncio.create_task(hands.run(make, work))
            task.add_done_callback(lambda done: self._ended(key, done))
        return task

    def close(self) -> None:
        """Do what was asked for, and end the threads; blocks."""
        self._is_closed = True
        for hands in tuple(self._hands.values()):
            hands.close()

    def _ended(self, key: Key, task: asyncio.Task[Answer]) -> None:
        del self._made[key]
        if not task.cancelled():
            task.exception()  # perhaps nobody waits any more who would take it
