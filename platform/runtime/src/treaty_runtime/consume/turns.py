"""Whose turn it is among held records: as many at once as there are workers, and one at a time of those at which processes ended.

All of them may be due at once, after a long outage or a restart. Each is fetched for its turn, so that no more values are in memory
than workers run, and no record counts as begun that only waits for a worker.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from treaty_runtime.consume.care import CALM_TICKS, TWICE
from treaty_runtime.consume.intake import Work
from treaty_runtime.consume.trial import Trial


class Turns:
    """The turns of one member. ``trial`` is the process's: a death is counted against all that has begun, in each of its groups."""

    def __init__(self, trial: Trial, *, at_once: int) -> None:
        self._trial, self._at_once = trial, at_once
        self._running: set[Work] = set()
        self._waiting: OrderedDict[Work, None] = OrderedDict()
        self._suspects: dict[Work, None] = {}
        self._ticks = 0

    def take(self, work: Work) -> bool:
        """Whether it may go on; who may not is handed out by ``free`` when it may. A turn lasts to its ``end``, whatever is waited for."""
        if work in self._running:
            return True
        if self._has_room(work):
            self._running.add(work)
            return True
        (self._suspects if work.deaths else self._waiting)[work] = None
        return False

    def end(self, work: Work) -> None:
        """Its attempt is over, or its partition has gone: no process died of it."""
        self._running.discard(work)
        self._trial.leave(work)
        work.deaths = 0

    def tick(self) -> None:
        """A second is over: a suspect that takes long lets others begin beside it."""
        self._ticks += 1
        for work in self._running:
            self._trial.tick(work)

    def free(self) -> Iterator[Work]:
        """Those whose turn may have come, one after the other: each is started, or does not wait any more."""
        while self._waiting and len(self._running) < self._at_once:
            yield self._waiting.popitem(last=False)[0]
        while (work := next(self._tried_next(), None)) is not None:
            del self._suspects[work]
            yield work

    def _tried_next(self) -> Iterator[Work]:
        return (work for work in self._suspects if self._trial.is_free and self._is_calm(work))

    def _has_room(self, work: Work) -> bool:
        if not work.deaths:
            return len(self._running) < self._at_once
        return self._is_calm(work) and self._trial.take(work)

    def _is_calm(self, work: Work) -> bool:
        return work.deaths < TWICE or self._ticks >= CALM_TICKS
