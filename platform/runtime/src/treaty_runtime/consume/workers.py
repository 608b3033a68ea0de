"""A bounded pool of coroutines: at most so many jobs at once, each of which can be cancelled alone.

A worker takes job after job, so that a busy group makes no task per record, and awaits what ``begin`` answers itself, so that a
record costs no coroutine but its handler's. Workers end when nothing is ready.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from typing import Generic, TypeVar

from treaty_runtime.errors import PROCESS_ENDS, HandlerBroke

J = TypeVar("J")
R = TypeVar("R")

_JOBS_PER_TURN = 64
"""Jobs that never suspend would keep the loop for themselves: after so many a worker lets others run."""


class Workers(Generic[J, R]):
    """Awaits ``begin(job)`` for submitted jobs, first come first served, and calls ``end`` with what became of each.

    That is the job's result, or what it raised: a ``CancelledError`` only if it was cancelled by ``cancel``, or of itself.
    """

    def __init__(
        self, count: int, begin: Callable[[J], Awaitable[R]], end: Callable[[J, R | BaseException], None]
    ) -> None:
        self._count, self._begin, self._end = count, begin, end
        self._ready: deque[J] = deque()
        self._running: dict[asyncio.Task[None], J | None] = {}
        self._cancelled: set[asyncio.Task[None]] = set()
        self._is_open = True

    def submit(self, job: J) -> None:
        """Runs the job when a worker is free."""
        self._ready.append(job)
        if len(self._running) < self._count and self._is_open:
            task = asyncio.get_running_loop().create_task(self._serve())
            self._running[task] = None
            task.add_done_callback(self._ended)

    def withdraw(self, is_meant: Callable[[J], bool]) -> list[J]:
        """Takes back the jobs that no worker has begun."""
        taken = [job for job in self._ready if is_meant(job)]
        if taken:
            left = [job for job in self._ready if not is_meant(job)]
            self._ready.clear()
            self._ready.extend(left)
        return taken

    def cancel(self, is_meant: Callable[[J], bool]) -> list[J]:
        """Cancels jobs, not the one that calls this; answers those that no worker had begun."""
        withdrawn = self.withdraw(is_meant)
        current = asyncio.current_task()
        for task, job in tuple(self._running.items()):
            if job is not None and is_meant(job) and task is not current:
                self._cancelled.add(task)
                task.cancel()
        return withdrawn

    def jobs(self) -> Iterator[J]:
        """What is running now."""
        return (job for job in tuple(self._running.values()) if job is not None)

    @property
    def has_ready(self) -> bool:
        """Whether a job waits for a worker."""
        return bool(self._ready)

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs and nothing is ready."""
        return not self._ready and not any(job is not None for job in self._running.values())

    async def close(self) -> None:
        """Cancels everything and waits until it has ended."""
        self._is_open = False
        self._ready.clear()
        tasks = tuple(self._running)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # a coroutine of a task always has one
        ready, running, begin, end = self._ready, self._running, self._begin, self._end
        turns = 0
        while ready:
            job = running[task] = ready.popleft()
            became: R | BaseException
            try:
                became = await begin(job)
            except asyncio.CancelledError as cancelled:
                if not self._is_open or (task not in self._cancelled and task.cancelling()):
                    raise  # the pool closes, or the loop ends
                became = cancelled
            except PROCESS_ENDS:
                raise
            except BaseException as error:  # noqa: BLE001  # what it means is not for the pool to decide
                became = error if isinstance(error, Exception) else HandlerBroke(error)
            if self._cancelled:
                self._forget_cancelling(task)
            running[task] = None
            end(job, became)
            turns += 1
            if turns % _JOBS_PER_TURN == 0:
                await asyncio.sleep(0)

    def _forget_cancelling(self, task: asyncio.Task[None]) -> None:
        """The next job of this worker begins uncancelled, whatever the last one made of its cancellation."""
        if task in self._cancelled:
            self._cancelled.remove(task)
            while task.uncancel():
                pass

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        self._cancelled.discard(task)
        if self._is_open and self._ready:  # a worker died of a bug in ``end``: its queue must not
            self.submit(self._ready.pop())
