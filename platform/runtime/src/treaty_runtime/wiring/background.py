"""Tasks that run as long as their owner; the first one that breaks is told, not lost."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any


class Background:
    """Runs tasks until they are stopped. A task that ends with an error sets `failure` and wakes `broken`."""

    def __init__(self) -> None:
        self.failure: BaseException | None = None
        self.broken = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any], *, name: str) -> asyncio.Task[Any]:
        """Begin a task."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def end(self, *names: str, within: timedelta) -> None:
        """Wait for tasks that were told to stop; cancel those that do not end in time. Errors stay in `failure`."""
        tasks = [task for task in self._tasks if task.get_name() in names]
        if tasks and within:
            await asyncio.wait(tasks, timeout=within.total_seconds())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and self.failure is None:
            self.failure = error
            self.broken.set()
