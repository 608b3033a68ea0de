"""A bounded pool of coroutines: at most so many jobs at once, each of which can be cancelled alone.

A worker takes job after job, so that a busy group makes no task per record. Workers end when nothing is ready.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from typing import Generic, TypeVar

J = TypeVar("J")

_JOBS_PER_TURN = 64
"""Jobs that never suspend would keep the loop for themselves: after so many a worker lets others run."""


class Workers(Generic[J]):
    """Runs ``work(job)`` for submitted jobs, first come first served."""

    def __init__(self, count: int, work: Callable[[J], Awaitable[None]]) -> None:
        self._count, self._work = count, work
        self._ready: deque[J] = deque()
        self._running: dict[asyncio.Task[None], J | None] = {}
        self._is_open = True

    def submit(self, job: J) -> None:
        """Runs the job when a worker is free."""
        self._ready.append(job)
        if self._is_open and len(self._running) < self._count:
            task = asyncio.get_running_loop().create_task(self._serve())
            self._running[task] = None
            task.add_done_callback(self._ended)

    def withdraw(self, is_meant: Callable[[J], bool]) -> list[J]:
        """Takes back the jobs that no worker has begun."""
        taken = [job for job in self._ready if is_meant(job)]
        if taken:
            self._ready = deque(job for job in self._ready if not is_meant(job))
        return taken

    def cancel(self, is_meant: Callable[[J], bool]) -> None:
        """Withdraws and cancels jobs; not the one that calls this."""
        self.withdraw(is_meant)
        current = asyncio.current_task()
        for task, job in tuple(self._running.items()):
            if job is not None and is_meant(job) and task is not current:
                task.cancel()

    def jobs(self) -> Iterator[J]:
        """What is running now."""
        return (job for job in tuple(self._running.values()) if job is not None)

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
        turns = 0
        while self._ready:
            job = self._ready.popleft()
            self._running[task] = job
            try:
                await self._work(job)
            except asyncio.CancelledError:
                if not self._is_open or task.uncancel() > 0:
                    raise
            finally:
                self._running[task] = None
            turns += 1
            if turns % _JOBS_PER_TURN == 0:
                await asyncio.sleep(0)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        if self._is_open and self._ready:  # a worker died of a bug in ``work``: its queue must not
            self.submit(self._ready.pop())
