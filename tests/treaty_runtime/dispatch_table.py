"""A dispatch on the table: facts in, actions out, in the words of the design. No thread, no clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from treaty_runtime.classify import Kind
from treaty_runtime.consume.actions import Action, Complete
from treaty_runtime.consume.dispatch import Dispatch
from treaty_runtime.consume.facts import Arrival, FailedAttempt
from treaty_runtime.errors import Outage
from treaty_runtime.event import Partition, Place
from treaty_runtime.limits import Limits, Marks, OnFailure
from treaty_runtime.retry import RetryPolicy

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
P0, P1 = Partition("orders", 0), Partition("orders", 1)
RETRY = Partition("retry.g.10s", 0)
BROKEN = RuntimeError("broken")
LIMITS = Limits(
    marks=Marks(high_records=4, low_records=1, high_bytes=1000, low_bytes=100), commit_every=100, quarantine_after=0
)


def at(offset: int, partition: Partition = P0) -> Place:
    return Place(*partition, offset)


class Table:
    """A dispatch with partitions assigned and short ways to state facts."""

    def __init__(self, *partitions: Partition, policy: RetryPolicy | None = None) -> None:
        self.dispatch = Dispatch(group="g", policy=policy or RetryPolicy(jitter=0), limits=LIMITS)
        assert list(self.dispatch.assigned(partitions or (P0,))) == []

    def arrive(self, place: Place, lane: str | None = "a", now: datetime = NOW, **facts: object) -> list[Action]:
        arrival = Arrival(lane)
        for name, fact in facts.items():
            setattr(arrival, name, fact)
        return list(self.dispatch.arrived(place, arrival, now))

    def handled(self, place: Place, epoch: int = 1) -> list[Action]:
        return list(self.dispatch.handled(place, epoch))

    def fail(
        self,
        place: Place,
        error: Exception = BROKEN,
        kind: Kind = Kind.FAILURE,
        on_failure: OnFailure = "skip",
        epoch: int = 1,
    ) -> list[Action]:
        return list(self.dispatch.failed(place, epoch, FailedAttempt(kind, error, on_failure), now=NOW, jitter=0.0))

    def outage(self, place: Place) -> list[Action]:
        return self.fail(place, Outage("refused", dependency="database"), Kind.OUTAGE)

    def due(self, place: Place, now: datetime = NOW, epoch: int = 1) -> list[Action]:
        return list(self.dispatch.due(place, epoch, now))


def complete(*places: Place) -> list[Action]:
    return [Complete(place) for place in places]
