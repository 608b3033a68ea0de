"""Whether a run still moves: a number that grows, and how long it did not."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from treaty_runtime.kafka.config import MAX_POLL_INTERVAL

LATE_SECONDS = 90.0
PATIENCE_SECONDS = MAX_POLL_INTERVAL.total_seconds() + 60
"""A broker waits as long as the poll interval for a member that lives and does not come to a rebalance; no stall is longer."""


@dataclass(slots=True)
class Progress:
    """``tell`` says where everybody stands: printed once in each stall that is late, and returned by ``stalled`` when patience ends."""

    tell: Callable[[], Awaitable[list[str]]]
    patience: float = PATIENCE_SECONDS
    late: int = 0
    _best: float = -1
    _moved: float = field(default_factory=time.monotonic)
    _is_told: bool = False

    async def stalled(self, reached: float) -> list[str] | None:
        """None while there is hope; else where everybody stands."""
        now = time.monotonic()
        if reached > self._best:
            self._best, self._moved, self._is_told = reached, now, False
        elif now - self._moved > self.patience:
            return await self.tell()
        elif now - self._moved > LATE_SECONDS and not self._is_told:
            self.late, self._is_told = self.late + 1, True
            print(f"Nothing has moved for {LATE_SECONDS:.0f} s, at {reached:,}.", *await self.tell(), sep="\n  ")
        return None
