"""Threads for what blocks: as few at work as help each other, and the loop told of what is done in batches.

Laws: an outcome waits for no job but the one that made it, longer than ``TICK_SECONDS``: whoever ends a job tells the loop at
once, unless more jobs wait; then the tick that waiting jobs bring with them tells it. A thread that waits for others
(``aside``) does not count as one at work. Jobs that get nowhere bring more threads, up to all there are. Writes never have
all of them: while the database is busy for those, there are threads for reads.

Why: threads of one interpreter take turns, and each turn that the loop and eight of them take from each other costs more than
many a request does.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, TypeVar

from treaty.registry.errors import StoreUnavailable

A = TypeVar("A")
R = TypeVar("R")

TICK_SECONDS: Final = 0.002
TICKS_WITHOUT_AN_END: Final = 10
"""After so many ticks in which no job ended though some wait, one thread more may work."""


KEPT_FOR_READS: Final = 2
"""Threads that no write gets, where there are more than these."""


@dataclass(frozen=True, slots=True)
class _Job:
    number: int
    is_write: bool
    future: asyncio.Future[Any]
    function: Callable[[Any], Any]
    argument: Any


class Hands:
    """Runs functions in ``threads`` threads of its own, ``at_once`` of them at a time, for one loop at a time."""

    def __init__(self, threads: int, *, at_once: int) -> None:
        self._most, self._usually = threads, min(at_once, threads)
        self._at_once = self._usually
        self._change = threading.Condition()
        self._most_writing, self._writing = max(1, threads - KEPT_FOR_READS), 0
        self._reads: deque[_Job] = deque()
        self._writes: deque[_Job] = deque()
        self._numbers = count()
        self._ended: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._threads: list[threading.Thread] = []
        self._working, self._is_closing = 0, False
        self._is_told = self._is_ticking = False
        self._quiet_ticks = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self, function: Callable[[A], R], argument: A, *, is_write: bool = False) -> R:
        """What the function answers or raises, from a thread; raises ``StoreUnavailable`` once closed.

        ``is_write``: it may have to wait for the database. A job that nobody waits for any more before it has begun is not
        done.
        """
        self._loop = loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        with self._change:
            if self._is_closing:  # the threads are gone, or go as soon as no job waits
                raise StoreUnavailable
            self._begin()
            jobs = self._writes if is_write else self._reads
            jobs.append(_Job(next(self._numbers), is_write, future, function, argument))
            begins_to_tick = not self._is_ticking and self._working + self._waiting > self._at_once
            self._is_ticking = self._is_ticking or begins_to_tick
            if self._working < self._at_once:
                self._change.notify()
        if begins_to_tick:
            loop.call_later(TICK_SECONDS, self._tick)
        return await future

    @contextmanager
    def aside(self) -> Iterator[None]:
        """For a job that waits for other threads or for the disk: another one may work meanwhile."""
        with self._change:
            self._working -= 1
            self._change.notify()
        try:
            yield
        finally:
            with self._change:
                self._working += 1

    def close(self) -> None:
        """Do what was asked for, and end the threads; blocks."""
        with self._change:
            self._is_closing = True
            self._change.notify_all()
        for thread in self._threads:
            thread.join()

    def _begin(self) -> None:
        if not self._threads:
            names = (f"registry-{number}" for number in range(self._most))
            self._threads = [threading.Thread(target=self._work, name=name, daemon=True) for name in names]
            for thread in self._threads:
                thread.start()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            result: object = None
            error: BaseException | None = None
            try:
                if not job.future.cancelled():
                    result = job.function(job.argument)
            except StopIteration as raised:  # no future takes it
                error = RuntimeError(f"{raised!r} left the function")
                error.__cause__ = raised
            except BaseException as raised:  # noqa: BLE001  # whatever it is, who waits for it gets it
                error = raised
            self._end(job, result, error)
            # Else a thread that waits for its next job would keep the last one's answer alive.
            del job, result, error

    @property
    def _waiting(self) -> int:
        return len(self._reads) + len(self._writes)

    def _next(self) -> _Job | None:
        with self._change:
            while (job := self._taken()) is None:
                if self._is_closing and not self._waiting:
                    return None
                self._change.wait()
            self._working += 1
            self._writing += job.is_write
            return job

    def _taken(self) -> _Job | None:
        """The job that has waited longest, of those that may begin."""
        if self._working >= self._at_once:
            return None
        reads, writes = self._reads, self._writes
        if writes and self._writing < self._most_writing and not (reads and reads[0].number < writes[0].number):
            return writes.popleft()
        return reads.popleft() if reads else None

    def _end(self, job: _Job, result: object, error: BaseException | None) -> None:
        with self._change:
            self._working -= 1
            self._writing -= job.is_write
            self._ended.append((job.future, result, error))
            is_to_tell = not self._is_told and not (self._waiting and self._is_ticking)
            self._is_told = self._is_told or is_to_tell
            # The next job is this thread's own; others only have to know that it is over.
            if self._is_closing:
                self._change.notify_all()
        if is_to_tell and self._loop is not None:
            self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        # Before the first is taken: what ends from now on is told anew rather than missed.
        with self._change:
            self._is_told = False
        while self._ended:
            future, result, error = self._ended.popleft()
            if future.done():  # whoever waited is gone
                continue
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

    def _tick(self) -> None:
        with self._change:
            self._quiet_ticks = 0 if self._ended else self._quiet_ticks + 1
            self._is_ticking = self._waiting > 0
            if not self._is_ticking:
                self._at_once = self._usually
            elif self._quiet_ticks >= TICKS_WITHOUT_AN_END and self._at_once < self._most:
                # More may be at work than were to be: those who waited aside and are back. One beside them, or nothing moves.
                self._at_once = min(self._most, max(self._at_once, self._working) + 1)
                self._quiet_ticks = 0
                self._change.notify()
        # Only now: what ended before it was said that no tick follows is among these, what ends later is told.
        self._deliver()
        if self._is_ticking and self._loop is not None:
            self._loop.call_later(TICK_SECONDS, self._tick)
