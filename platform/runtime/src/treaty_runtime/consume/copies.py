"""Sends the copies of failed records and reports how the broker answered. A copy counts only when it is acknowledged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from uuid import UUID

from treaty_runtime.consume.actions import KILLS_PROCESS, Copy, DeadLetter
from treaty_runtime.errors import Oversize, Poison, QueueFull
from treaty_runtime.event import Record
from treaty_runtime.handlers import Group
from treaty_runtime.transport import Delivery, FaultKind, Outgoing, Producer
from treaty_runtime.wire.deadletter import COPY_BYTES, dead_letter, first_hop, retry_copy
from treaty_runtime.wire.failure import Failure


class Answer(Enum):
    """What became of a copy."""

    COPIED = "copied"
    REFUSED = "refused"  # too large, for good
    FAILED = "failed"  # an outage of Kafka, or the topic is missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What travels with a failed record: the exception's texts, the handler, which event it is, and where it was published."""

    failure: Failure
    handler: str = ""
    event_type: str = ""
    topic: str = ""
    event_id: UUID | None = None
    trace_id: str = ""


Report = Callable[[Copy | DeadLetter, Answer], None]


class Copies:
    """Turns Copy and DeadLetter actions into records and answers each exactly once, on the event loop."""

    def __init__(self, producer: Producer, *, group: Group, report: Report) -> None:
        self._producer, self._report = producer, report
        self._group, self._topic, self._retry_topics = group.name, group.dead_letter, frozenset(group.retry_topics)

    def send(self, action: Copy | DeadLetter, record: Record, told: Told) -> None:
        """Produces the copy; a full queue is an outage like any other."""
        try:
            self._producer.produce(self._outgoing(action, record, told), partial(self._answered, action))
        except QueueFull:
            self._report(action, Answer.FAILED)

    def _outgoing(self, action: Copy | DeadLetter, record: Record, told: Told) -> Outgoing:
        if record.place.topic not in self._retry_topics:
            record = first_hop(record)
        if isinstance(action, Copy):
            return retry_copy(
                record,
                topic=action.topic,
                group=self._group,
                attempt=action.attempt,
                due=action.due,
                failure=told.failure,
            )
        return dead_letter(
            record,
            topic=self._topic,
            group=self._group,
            reason=f"{action.reason} {told.failure.message}".rstrip(),
            handler=told.handler,
            event_type=told.event_type,
            failure=told.failure,
            limit=0 if action.reason == "oversize" else COPY_BYTES,
        )

    def _answered(self, action: Copy | DeadLetter, delivery: Delivery) -> None:
        if delivery.fault is None:
            self._report(action, Answer.COPIED)
        elif delivery.fault.kind is FaultKind.REFUSED and action != _pointer(action):
            self._report(action, Answer.REFUSED)
        else:
            self._report(action, Answer.FAILED)


def _pointer(action: Copy | DeadLetter) -> DeadLetter:
    """The last resort for a record: if even that is refused, it waits for an operator rather than being lost."""
    return DeadLetter(action.place, "oversize", action.epoch)


def failure_at_arrival(action: Copy | DeadLetter, record: Record) -> Exception:
    """Why a record is dead-lettered that no handler saw, or that no handler survived."""
    reason = action.reason if isinstance(action, DeadLetter) else ""
    if reason == "oversize":
        return Oversize(f"The value has {len(record.value or b'')} bytes, more than `max_record_bytes`.")
    if reason == KILLS_PROCESS:
        return Poison("The process ended each time it was handled.")
    return Poison("A tombstone has no event in it.")
