"""Lanes: the records of one key take turns, in the order in which they arrived."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

from treaty_runtime.consume.intake import Work


class Lanes:
    """Who has the turn in each lane. Work without a lane always has its turn."""

    def __init__(self) -> None:
        self._running: dict[Hashable, Work] = {}
        self.waiting = 0
        """How many wait for their turn."""

    def __len__(self) -> int:
        """Lanes with work."""
        return len(self._running)

    def enter(self, work: Work) -> bool:
        """Takes its place; whether it has the turn already."""
        if work.lane is None:
            return True
        running = self._running.setdefault(work.lane, work)
        if running is work:
            return True
        if running.behind is None:
            running.behind = deque()
        running.behind.append(work)
        self.waiting += 1
        return False

    def turn(self, work: Work) -> Work:
        """Who has the turn in the lane of this work: itself, if it has none."""
        return self._running.get(work.lane, work)

    def leave(self, work: Work) -> Work | None:
        """Its turn is over: who has it now. Nobody, if the lane is empty or the work had no turn."""
        lane = work.lane
        if lane is None or self._running.get(lane) is not work:
            return None
        behind = work.behind
        while behind:
            successor = behind.popleft()
            self.waiting -= 1
            if not successor.assignment.is_leaving:
                successor.behind = behind
                self._running[lane] = successor
                return successor
        del self._running[lane]
        return None
