"""Time as it is passed in: what it is now, and being called later. Tests have a virtual one (`testing.clock`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""What Kafka counts its milliseconds from."""


class Clock(Protocol):
    """An aware now, and calls on the running event loop at or after an instant."""

    def now(self) -> datetime:
        """The instant, aware."""

    def call_at(self, when: datetime, call: Callable[[], None]) -> Callable[[], None]:
        """Calls at ``when`` or later, unless ``now`` was set back meanwhile; answers a function that cancels."""


def utcnow() -> datetime:
    """The host's clock."""
    return datetime.now(UTC)


EARLY = timedelta(seconds=1)
"""A timer of the loop fires this much too early at most; more means that the host's clock was set back meanwhile."""


class SystemClock:
    """The event loop's timers, held to ``now``: a timer that fires a little early by that clock is set again.

    A host whose clock is set back by an hour waits no hour longer: the loop has counted the time by its own clock.
    """

    def __init__(self, now: Callable[[], datetime] = utcnow) -> None:
        self.now = now

    def call_at(self, when: datetime, call: Callable[[], None]) -> Callable[[], None]:
        """Calls at ``when``; answers a function that cancels."""
        loop = asyncio.get_running_loop()
        timer: asyncio.TimerHandle

        def fire() -> None:
            nonlocal timer
            left = when - self.now()
            if timedelta(0) < left < EARLY:
                timer = loop.call_later(left.total_seconds(), fire)
            else:
                call()

        def cancel() -> None:
            timer.cancel()

        timer = loop.call_later(max((when - self.now()).total_seconds(), 0), fire)
        return cancel
