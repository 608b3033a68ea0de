"""Whose turn it is among held records: as many at once as there are workers, and one at a time of those at which processes ended.

All of them may be due at once, after a long outage or a restart. Each is fetched for its turn, and goes back into the table when it has
to wait: no more values are in memory than there are workers, and few count as begun that wait for a worker.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from treaty_runtime.consume.care import CALM_TICKS, TWICE
from treaty_runtime.consume.intake import Work
from treaty_runtime.consume.trial import Trial


class Turns:
    """The turns of one member; ``at_once`` 0: there is no table.

    ``trial`` is the process's: a death is counted against all that has begun, in each of its groups.
    """

    def __init__(self, trial: Trial, *, at_once: int) -> None:
        self._trial, self.at_once = trial, at_once
        self._running: set[Work] = set()
        self._waiting: OrderedDict[Work, None] = OrderedDict()
        self._suspects: OrderedDict[Work, None] = OrderedDict()
        self._ticks = 0

    def take(self, work: Work) -> bool:
        """Whether it may go on, as all do that are not held. Who may not waits; a turn lasts to its ``end``, in an outage too."""
        if not work.is_held or work in self._running:
            return True
        if self._has_room(work):
            self._running.add(work)
            return True
        (self._suspects if work.deaths else self._waiting)[work] = None
        return False

    def survived(self, work: Work) -> None:
        """An attempt ended, and no process died of it: it is no suspect any more."""
        self._trial.leave(work)
        work.deaths = 0

    def end(self, work: Work) -> None:
        """Its last attempt here ended, or its partition has gone."""
        self._running.discard(work)
        self._suspects.pop(work, None)
        self.survived(work)

    def tick(self) -> None:
        """A second is over: a suspect that takes long lets others begin beside it."""
        self._ticks += 1
        for work in self._running:
            self._trial.tick(work)

    def free(self) -> Iterator[Work]:
        """Those whose turn has come, one after the other. Each is started, unless its partition has gone."""
        while self._waiting and len(self._running) < self.at_once:
            yield self._waiting.popitem(last=False)[0]

    def suspect(self) -> Work | None:
        """The one that may be tried now, and is started. Asked for at ticks, so that partitions and other groups have theirs."""
        work = next(filter(self._is_calm, self._suspects), None) if self._trial.is_free else None
        if work is not None:
            del self._suspects[work]
        return work

    def _has_room(self, work: Work) -> bool:
        if not work.deaths:
            return len(self._running) < self.at_once
        return self._is_calm(work) and self._trial.take(work)

    def _is_calm(self, work: Work) -> bool:
        return work.deaths < TWICE or self._ticks >= CALM_TICKS
