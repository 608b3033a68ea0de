"""Tasks that run as long as their owner; the first one that breaks is told, not lost."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from treaty_runtime.hooks import Hooks, PartBroke
from treaty_runtime.wire.failure import class_name, place_of


class Background:
    """Runs tasks until they are stopped. One that ends with an error is told to observers; the first sets `failure` and wakes `broken`."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks
        self.failure: BaseException | None = None
        self.broken = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any], *, name: str) -> asyncio.Task[Any]:
        """Begin a task. The first word of its name is what `end` asks for."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def end(self, *names: str, within: timedelta) -> None:
        """Wait for tasks that were told to stop; cancel those that do not end in time. Errors stay in `failure`."""
        tasks = [task for task in self._tasks if task.get_name().partition(" ")[0] in names]
        if tasks and within:
            await asyncio.wait(tasks, timeout=within.total_seconds())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        if self.failure is None:
            self.failure = error
            self.broken.set()
        cause = _alone(error)
        self._hooks(PartBroke(part=task.get_name(), error_type=class_name(cause), at=place_of(cause)))


def _alone(error: BaseException) -> BaseException:
    """The one error of a group that has no other: a part's tasks end together."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
