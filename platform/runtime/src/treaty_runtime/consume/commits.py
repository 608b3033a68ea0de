"""One commit at a time: what comes meanwhile waits and goes out with the next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from treaty_runtime.errors import TreatyError
from treaty_runtime.event import Partition
from treaty_runtime.transport import Position

Offsets = Mapping[Partition, Position]


class Commits:
    """Sends offsets by ``send``, tells ``taken`` which ones the broker took, and ``failed`` why it did not."""

    def __init__(
        self,
        send: Callable[[Offsets], Awaitable[None]],
        *,
        taken: Callable[[Offsets], None],
        failed: Callable[[TreatyError], None],
    ) -> None:
        self._send, self._taken, self._failed = send, taken, failed
        self._under_way: asyncio.Task[None] | None = None
        self._waiting: dict[Partition, Position] = {}

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way."""
        return self._under_way is None

    def commit(self, offsets: Offsets) -> None:
        """Commits now, or with the next request."""
        if self._under_way is None:
            self._under_way = asyncio.get_running_loop().create_task(self._commit(offsets))
        else:
            self._waiting |= offsets

    async def _commit(self, offsets: Offsets) -> None:
        try:
            await self._send(offsets)
        except TreatyError as error:
            self._failed(error)  # the next tick tries again; until then the records would only be seen once more
            return
        finally:
            self._under_way = None
            if self._waiting:
                waiting, self._waiting = self._waiting, {}
                self.commit(waiting)
        self._taken(offsets)
