"""One send a key and process: a handler that is run again, for a lock it lost or for its time-out, finds its first send.

Law: a send is repeated only if its process dies between sending and noting, or loses the partition meanwhile: after the group's drain
the record belongs to a process that knows nothing of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

KEPT = 10_000


class Sends:
    """What this process sends now, or has sent and may not have noted yet, by idempotency key."""

    def __init__(self, *, kept: int = KEPT) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._kept = kept

    async def once(self, key: str, send: Callable[[], Awaitable[None]]) -> None:
        """Sends, or waits for the send of this key that is under way, or finds it done. What has failed may be tried again.

        Raises what the send raised. A caller that is cancelled leaves the send to its end.
        """
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(_awaited(send))
            task.add_done_callback(lambda done: self._ended(key, done))
        await asyncio.shield(task)

    def _ended(self, key: str, task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception() is not None:
            del self._tasks[key]
        while len(self._tasks) > self._kept and (oldest := next(iter(self._tasks))) != key:
            if not self._tasks[oldest].done():
                break
            del self._tasks[oldest]


async def _awaited(send: Callable[[], Awaitable[None]]) -> None:
    await send()
