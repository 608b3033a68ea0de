"""While a dependency is away one record probes and all others wait; no attempt is counted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from treaty_runtime.consume.actions import Action, Probe
from treaty_runtime.consume.intake import OUTAGE, Intake, Work
from treaty_runtime.limits import Limits


@dataclass(slots=True, eq=False)
class Away:
    """A dependency is away ``since`` then; one record probes, ``parked`` ones wait."""

    since: datetime
    dependency: str
    probe: Work
    failures: int = 0
    parked: deque[Work] = field(default_factory=deque)


def dependency_of(error: Exception) -> str:
    """Who is away: what the error says, else the library it comes from; of a group, what the first of its parts that says it does."""
    if isinstance(error, ExceptionGroup):
        named = error.subgroup(lambda each: getattr(each, "dependency", None) is not None)
        return dependency_of((named or error).exceptions[0])
    return str(getattr(error, "dependency", None) or type(error).__module__.partition(".")[0])


class Probing:
    """The outage of one group member, if there is one; ``start`` lets a record go on whose turn it is, ``may_go`` says whether it is."""

    def __init__(
        self,
        intake: Intake,
        *,
        limits: Limits,
        start: Callable[[Work], Sequence[Action]],
        may_go: Callable[[Work], bool],
    ) -> None:
        self._intake, self._limits, self._start, self._may_go = intake, limits, start, may_go
        self.away: Away | None = None
        """Asked for every record."""

    def wait_out(self, work: Work, dependency: str, *, now: datetime, jitter: float) -> Iterator[Action]:
        """A record found the dependency away: it becomes the probe, or waits for the one that is."""
        outage = self.away
        if outage is None:
            outage = self.away = Away(now, dependency, work)
            yield from self._intake.pause(self._intake.assignments.values(), OUTAGE)
        elif outage.probe is work:
            outage.failures += 1
        else:
            outage.parked.append(work)
            return
        yield self._probe(outage, now, jitter)

    def recovered(self, work: Work) -> Iterator[Action]:
        """Ends the outage if this record was its probe: the dependency answered."""
        outage = self.away
        if outage is not None and outage.probe is work:
            yield from self._end(outage)

    def reelect(self, now: datetime, jitter: float) -> Iterator[Action]:
        """Finds another probe if the old one left with its partition."""
        outage = self.away
        if outage is None:
            return
        outage.parked = deque(work for work in outage.parked if not work.assignment.is_leaving)
        if not outage.probe.assignment.is_leaving:
            return
        while outage.parked:
            outage.probe = outage.parked.popleft()
            if self._may_go(outage.probe):
                yield self._probe(outage, now, jitter)
                return
        yield from self._end(outage)

    def _probe(self, outage: Away, now: datetime, jitter: float) -> Probe:
        work = outage.probe
        return Probe(work.place, now + self._limits.patience(outage.failures, jitter), work.assignment.epoch)

    def _end(self, outage: Away) -> Iterator[Action]:
        self.away = None
        yield from self._intake.resume(self._intake.assignments.values(), OUTAGE)
        for parked in outage.parked:
            yield from self._start(parked)
