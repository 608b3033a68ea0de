"""Time as it is passed in: what it is now, and being called later. Tests have a virtual one (`testing.clock`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""What Kafka counts its milliseconds from."""


class Clock(Protocol):
    """An aware now, and calls on the running event loop at or after an instant."""

    def now(self) -> datetime:
        """The instant, aware."""

    def call_at(self, when: datetime, call: Callable[[], None]) -> Callable[[], None]:
        """Calls at ``when`` or later, never earlier by ``now``; answers a function that cancels."""


def utcnow() -> datetime:
    """The host's clock."""
    return datetime.now(UTC)


class SystemClock:
    """The event loop's timers, held to ``now``: a timer that fires early by that clock is set again."""

    def __init__(self, now: Callable[[], datetime] = utcnow) -> None:
        self.now = now

    def call_at(self, when: datetime, call: Callable[[], None]) -> Callable[[], None]:
        """Calls at ``when``; answers a function that cancels."""
        loop = asyncio.get_running_loop()
        timer: asyncio.TimerHandle

        def fire() -> None:
            nonlocal timer
            left = (when - self.now()).total_seconds()
            if left > 0:
                timer = loop.call_later(left, fire)
            else:
                call()

        def cancel() -> None:
            timer.cancel()

        timer = loop.call_later(max((when - self.now()).total_seconds(), 0), fire)
        return cancel
