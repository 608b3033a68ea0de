"""What happened, as frozen records: the library logs nothing itself, metrics, logs and traces are observers of these."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from treaty_runtime.event import Partition, Place

Trace = tuple[tuple[str, str], ...]
"""`traceparent` and `tracestate` of the span that an event belongs to; empty without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The broker acknowledged a record. ``seconds`` from produce to acknowledgement; ``trace``: the W3C headers it carries."""

    topic: str
    event_type: str
    event_id: UUID
    place: Place
    seconds: float
    trace: Trace = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishRefused:
    """A record was finally not published. ``error_type`` is Kafka's error name."""

    topic: str
    event_type: str
    event_id: UUID
    error_type: str
    reason: str
    trace: Trace = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyMissing:
    """An event without a declared key got `diag-<event id>`."""

    topic: str
    event_type: str
    event_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """An event was staged in a transaction that is not yet committed."""

    topic: str
    event_type: str
    event_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Relayed:
    """A batch of outbox rows was acknowledged and deleted."""

    rows: int
    seconds: float
    lanes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overtaken:
    """The broker did not take an outbox row, but took a later one of its key in its topic: the order of that key is broken there.

    It is sent behind that one, by itself, or after a `PublishRefused` when an operator says so. ``error_type`` is Kafka's name for why
    it was not taken: often not its own fault, but that of its request (a topic's `max.message.bytes` below it, a bad record in it).
    """

    topic: str
    event_type: str
    event_id: UUID
    error_type: str
    trace: Trace = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fenced:
    """A relay lost its lane to another one before its delete."""

    lane: int
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxHeld:
    """How many keys wait for an operator, by Kafka's error name; repeated each minute, once with nothing left."""

    keys: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LanesHeld:
    """How many lanes of the outbox this relay owns now."""

    lanes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """Records arrived in one batch: how many per topic."""

    group: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """A handler succeeded. ``latency_seconds``: from event time to effect."""

    group: str
    topic: str
    event_type: str
    event_id: UUID
    place: Place
    attempt: int
    handler: str
    seconds: float
    latency_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """An attempt failed; what follows is a Retried, DeadLettered or Outage of its own."""

    group: str
    topic: str
    event_type: str
    event_id: UUID | None
    place: Place
    attempt: int
    handler: str
    seconds: float
    error: Exception
    trace_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """The inbox knew the event: no effect."""

    group: str
    topic: str
    event_type: str
    event_id: UUID
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """A failed record will be tried again as ``attempt``; ``retry_topic`` None: in place."""

    group: str
    topic: str
    place: Place
    attempt: int
    error_type: str
    retry_topic: str | None
    event_id: UUID | None = None
    trace_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A record waits behind an earlier failure of its key."""

    group: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLettered:
    """The dead-letter topic acknowledged a record. ``event_id`` None: it could not be read; ``trace_id``: of W3C, or empty."""

    group: str
    topic: str
    place: Place
    dead_letter_topic: str
    error_type: str
    reason: str
    fingerprint: str
    event_id: UUID | None = None
    trace_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Nobody handles the record: `no-handler`, `tombstone`."""

    group: str
    topic: str
    place: Place
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageBegan:
    """A dependency is away; the group waits."""

    group: str
    dependency: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """The dependency answered again."""

    group: str
    dependency: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttled:
    """Many failures in a row: one record at a time until a success (``is_on`` false)."""

    group: str
    is_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A record that killed the process several times was dead-lettered unread."""

    group: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebalanced:
    """Partitions came or went."""

    group: str
    assigned: frozenset[Partition] = frozenset()
    revoked: frozenset[Partition] = frozenset()
    lost: frozenset[Partition] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsWarning:
    """The settings can be used, but should not be so: a secret's file that everybody can read."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RightMissing:
    """The broker refuses a group a right: who lacks it, which, on what. The client asks again by itself."""

    group: str
    fault: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewound:
    """A partition's log goes on before what was read of it: its topic was made anew, or its brokers lost records.

    It is read again from ``place``: from where it goes on, or from the first record that was not finished, if that lies before.
    """

    group: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """Kafka had deleted records (retention) before the group read them: from ``place`` to before the offset ``until``.

    Nobody handles them any more. Told again by a member that begins there once more before the group has committed past them.
    """

    group: str
    place: Place
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """Offsets were committed: next offset per partition."""

    group: str
    offsets: Mapping[Partition, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitFailed:
    """The broker did not take a commit while partitions are ours; it is tried again within a second.

    Until then their records would be seen once more. The last commit of partitions that leave is no hook: nobody could act on it.
    """

    group: str
    fault: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRun:
    """A delayed job ended: `done`, `failed`, `retried` or `duplicate`."""

    queue: str
    job_id: str
    outcome: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PartBroke:
    """A part of the runtime (`relay`, `consumer <group>` …) ended with an error: a bug, or settings that are none.

    Nothing of it goes on, and the process counts as dead to who asks. ``at``: the innermost
    function of the runtime or the service on its way, empty if there is none.
    """

    part: str
    error_type: str
    at: str


Observer = Callable[[Any], None]
"""Called with each hook record, on the event loop: be quick. Observers pick what they know by type."""


class Hooks:
    """Hands hook records to observers. One that raises is dropped: observation never hurts the work."""

    __slots__ = ("_observers", "are_heard")

    def __init__(self, observers: Iterable[Observer] = ()) -> None:
        self._observers = list(observers)
        self.are_heard = bool(self._observers)
        """Whether anybody listens; the hot path asks before it builds a record."""

    def __bool__(self) -> bool:
        """The same as ``are_heard``."""
        return self.are_heard

    def __call__(self, hook: object) -> None:
        """Tells every observer."""
        for observer in tuple(self._observers):
            try:
                observer(hook)
            except Exception:  # noqa: BLE001  # whatever it is, the observer is the broken part
                with suppress(ValueError):  # what it did itself may have told it, and broken it, before
                    self._observers.remove(observer)
                self.are_heard = bool(self._observers)
