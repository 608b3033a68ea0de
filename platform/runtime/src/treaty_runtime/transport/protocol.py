"""The two protocols of a transport, a producer and a source, and the values that they speak in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import NamedTuple, Protocol

from treaty_runtime.event import Headers, Partition, Place, Record


class FaultKind(Enum):
    """What a refused record means for the ones behind it."""

    OUTAGE = "outage"  # the broker is away: everything waits
    HELD = "held"  # this topic or right is missing: the key waits until an operator acts
    REFUSED = "refused"  # this record will never be taken
    AGAIN = "again"  # it went back with others of its transaction: nothing is wrong with it
    FENCED = "fenced"  # another producer took over, or this one is closed: give up the work


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a record was not acknowledged: Kafka's error name (`MSG_SIZE_TOO_LARGE`), its text, and what it means."""

    name: str
    text: str
    kind: FaultKind


@dataclass(slots=True, kw_only=True)  # not frozen, nor the next: one of each is made per record
class Outgoing:
    """A record to produce. No partition: the partitioner's (`murmur2_random` of the key). No timestamp: now.

    ``mark``: what tells an outbox row from all others, for a fence that notes what was sent; ``MARK_BYTES`` long.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None
    timestamp_ms: int | None = None
    mark: bytes = b""


MARK_BYTES = 16


@dataclass(slots=True)
class Delivery:
    """The broker's answer about one record: a place, or a fault."""

    place: Place | None
    timestamp_ms: int
    fault: Fault | None = None


class Producer(Protocol):
    """Sends records. All methods belong to one event loop; ``done`` is called on it, once per accepted record, in any order."""

    def open(self) -> None:
        """Connects, and hears what the broker says from now on; the first record does it too. InvalidSettings for those that are none."""

    def produce(self, record: Outgoing, done: Callable[[Delivery], None]) -> None:
        """Queues a record without blocking; ``QueueFull`` if there is no room."""

    async def room(self) -> None:
        """Waits until the queue is less than four fifths full, and after ``QueueFull`` until something was answered."""

    async def flush(self, within: timedelta) -> int:
        """Waits for all answers; answers how many are still missing after that time."""

    def purge(self) -> None:
        """Drops what is queued but not yet on the wire; each dropped record gets a fault."""

    async def close(self) -> None:
        """Ends the client; records still queued get a fault. Flush first."""


class Position(NamedTuple):
    """A committed offset (the next one to read) with its metadata."""

    offset: int
    metadata: str = ""


@dataclass(frozen=True, slots=True)
class Records:
    """Records that arrived, in order per partition."""

    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class Assigned:
    """New partitions of this member, with what the group committed for them (none: absent). May be empty."""

    partitions: frozenset[Partition]
    committed: Mapping[Partition, Position]


@dataclass(frozen=True, slots=True)
class Revoking:
    """Partitions about to leave, still ours until ``done`` is called with what to commit. Call it exactly once."""

    partitions: frozenset[Partition]
    done: Callable[[Mapping[Partition, Position]], None]


@dataclass(frozen=True, slots=True)
class Lost:
    """Partitions that already belong to others: commit nothing."""

    partitions: frozenset[Partition]


@dataclass(frozen=True, slots=True)
class Broken:
    """The client failed for good and no event follows: make a new source."""

    fault: Fault


@dataclass(frozen=True, slots=True)
class Refused:
    """The member lacks a right, on the group or on ``topic``. It asks again by itself; whoever is let in is assigned partitions."""

    fault: Fault
    topic: str | None = None


@dataclass(frozen=True, slots=True)
class Missed:
    """The broker had deleted records before the member read them: from ``place`` to before ``until``."""

    place: Place
    until: int


SourceEvent = Records | Assigned | Revoking | Lost | Broken | Refused | Missed


class Source(Protocol):
    """Reads topics as a member of a group. All methods belong to one event loop."""

    def events(self) -> AsyncIterator[SourceEvent]:
        """Joins the group and yields what happens, until closed."""

    def pause(self, partitions: Iterable[Partition]) -> None:
        """Stops fetching; records already on their way may still arrive."""

    def resume(self, partitions: Iterable[Partition]) -> None:
        """Fetches again, from where it stopped."""

    def seek(self, place: Place) -> None:
        """Reads the partition again from this place, as a new assignment: what comes after ``Lost`` and ``Assigned`` is from there."""

    async def commit(self, offsets: Mapping[Partition, Position]) -> None:
        """Commits; raises ``Outage`` if the broker did not take it."""

    async def close(self) -> None:
        """Leaves the group after a last Revoking for what is still assigned; ends ``events``."""
