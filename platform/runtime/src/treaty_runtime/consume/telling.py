"""What observers hear of retries, dead letters and outages of one group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from treaty_runtime import hooks as seen
from treaty_runtime.clock import Clock
from treaty_runtime.consume.actions import KILLS_PROCESS, Copy, DeadLetter, Hold
from treaty_runtime.consume.copies import Told
from treaty_runtime.consume.dispatch import Dispatch
from treaty_runtime.consume.outage import Away
from treaty_runtime.errors import TreatyError
from treaty_runtime.event import Partition, Place
from treaty_runtime.handlers import Group
from treaty_runtime.hooks import Hooks
from treaty_runtime.transport import Fault, Missed, Refused


class Telling:
    """Knows ``told``, the texts of failures that are not settled yet, and the outage it spoke of last."""

    def __init__(self, hooks: Hooks, *, group: Group, clock: Clock, told: Mapping[Place, Told]) -> None:
        self._hooks, self._group, self._dead_letter = hooks, group.name, group.dead_letter
        self._clock, self._told = clock, told
        self._outage: Away | None = None
        self._is_throttled = False
        self._broken_at: datetime | None = None
        self.refusals: dict[str | None, str] = {}
        """Which right the group lacks, by topic (None: on the group, or on one that the broker does not name)."""
        self.is_alert = False
        """Whether an outage or a throttle was told whose end was not; asked for every record."""

    def watch(self, dispatch: Dispatch) -> None:
        """Tells the beginning and the end of outages and throttles once each."""
        self._watch_outage(dispatch.outage)
        if self._is_throttled is not dispatch.is_throttled:
            self._is_throttled = dispatch.is_throttled
            self._hooks(seen.Throttled(group=self._group, is_on=self._is_throttled))
        self.is_alert = self._outage is not None or self._is_throttled

    @property
    def is_reconnecting(self) -> bool:
        """Whether the group's client broke and the one in its place has not joined yet."""
        return self._broken_at is not None

    def broke(self, fault: Fault) -> None:
        """The group's client broke for good. One in its place that breaks too is the same outage."""
        self.refusals.clear()  # the next one is told anew
        if self._broken_at is None:
            self._broken_at = self._clock.now()
            self._hooks(seen.OutageBegan(group=self._group, dependency="kafka", error=f"{fault.name}: {fault.text}"))

    def hindered(self, event: Refused | Missed) -> None:
        """The group's client lacks a right, on the group or on the topic; or records were deleted before it read them."""
        if isinstance(event, Missed):
            self._hooks(seen.Missed(group=self._group, place=event.place, until=event.until))
            return
        if self.refusals.get(event.topic) != event.fault.text:
            self._hooks(seen.RightMissing(group=self._group, fault=event.fault.text))
        self.refusals[event.topic] = event.fault.text

    def may_read(self, topics: Iterable[str | None]) -> None:
        """These were assigned, or records of them arrived: whoever is let in has the right on the group."""
        for topic in (None, *topics):
            self.refusals.pop(topic, None)

    def joined(self, partitions: Iterable[Partition]) -> None:
        """A client has joined the group, or got further partitions."""
        self.may_read(partition.topic for partition in partitions)
        if self._broken_at is not None:
            seconds = (self._clock.now() - self._broken_at).total_seconds()
            self._broken_at = None
            self._hooks(seen.Recovered(group=self._group, dependency="kafka", seconds=seconds))

    def retry(self, place: Place, *, attempt: int, topic: str | None) -> None:
        """A failed record will be tried again; ``topic`` None: in place."""
        told = self._told.get(place)
        if self._hooks.are_heard and told is not None:
            self._hooks(
                seen.Retried(
                    group=self._group,
                    topic=told.topic,
                    place=place,
                    attempt=attempt,
                    error_type=told.failure.error_class,
                    retry_topic=topic,
                    event_id=told.event_id,
                    trace_id=told.trace_id,
                )
            )

    def held(self, action: Hold) -> None:
        """A record is in the table: a failed one, or one of its key behind it."""
        if self._hooks.are_heard and not action.is_again:
            self._hooks(seen.Held(group=self._group, place=action.place))

    def not_committed(self, error: TreatyError) -> None:
        """The broker did not take a commit."""
        self._hooks(seen.CommitFailed(group=self._group, fault=str(error)))

    def copied(self, action: Copy | DeadLetter) -> None:
        """The broker has the copy."""
        if isinstance(action, Copy):
            self.retry(action.place, attempt=action.attempt, topic=action.topic)
            return
        told = self._told.get(action.place)
        if action.reason == KILLS_PROCESS:
            self._hooks(seen.Quarantined(group=self._group, place=action.place))
        if self._hooks.are_heard and told is not None:
            self._hooks(
                seen.DeadLettered(
                    group=self._group,
                    topic=told.topic,
                    place=action.place,
                    dead_letter_topic=self._dead_letter,
                    error_type=told.failure.error_class,
                    reason=action.reason,
                    fingerprint=told.failure.fingerprint(group=self._group, event_type=told.event_type),
                    event_id=told.event_id,
                    trace_id=told.trace_id,
                )
            )

    def _watch_outage(self, now: Away | None) -> None:
        before = self._outage
        if before is now:
            return
        self._outage = now
        if before is not None:
            seconds = (self._clock.now() - before.since).total_seconds()
            self._hooks(seen.Recovered(group=self._group, dependency=before.dependency, seconds=seconds))
        if now is not None:
            self._hooks(seen.OutageBegan(group=self._group, dependency=now.dependency, error=now.dependency))
