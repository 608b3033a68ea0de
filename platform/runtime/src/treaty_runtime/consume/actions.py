"""What ``Dispatch`` tells the consumer to do. Each names its record by place; results come back with the same epoch.

``Handle`` and ``Complete`` are made for every record and are not frozen: that would double what they cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from treaty_runtime.event import Partition, Place, Record
from treaty_runtime.transport import Position

KILLS_PROCESS = "kills-process"
"""First word of the reason of a record at which processes ended again and again."""


@dataclass(slots=True)
class Handle:
    """Call the handler; answer ``handled`` or ``failed``."""

    place: Place
    attempt: int
    epoch: int
    record: Record | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Wait:
    """Call ``due`` at ``until``, not before."""

    place: Place
    until: datetime
    epoch: int


@dataclass(frozen=True, slots=True)
class Probe:
    """Call ``due`` at ``at``: this record finds out whether the dependency is back."""

    place: Place
    at: datetime
    epoch: int


@dataclass(frozen=True, slots=True)
class Pace:
    """Call ``paced`` after ``pause``: many records failed in a row, and they run one by one."""

    place: Place
    pause: timedelta
    epoch: int


@dataclass(frozen=True, slots=True)
class Copy:
    """Produce a copy onto a retry topic; answer ``copied`` or ``copy_failed``."""

    place: Place
    topic: str
    attempt: int
    due: datetime
    epoch: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Produce a copy onto the dead-letter topic; answer ``copied`` or ``copy_failed``. ``reason`` is the first word."""

    place: Place
    reason: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep the record in the table, not before ``due`` (None: when its turn comes); answer ``held`` or ``not_held``.

    ``is_again``: its row is there already.
    """

    place: Place
    attempt: int
    due: datetime | None
    epoch: int
    is_again: bool = False


@dataclass(frozen=True, slots=True)
class Fetch:
    """Read a held record; answer ``fetched``, ``released`` if its row has gone, or ``not_held``."""

    place: Place
    epoch: int


@dataclass(frozen=True, slots=True)
class Release:
    """Delete the row of a held record; answer ``released`` or ``not_held``."""

    place: Place
    epoch: int


@dataclass(frozen=True, slots=True)
class Load:
    """Read what is held of a partition before its first record begins; answer ``loaded``, however long that takes."""

    partition: Partition
    epoch: int


@dataclass(frozen=True, slots=True)
class Skip:
    """Nobody handles this record: count it."""

    place: Place
    reason: str


@dataclass(slots=True)
class Complete:
    """The record needs nothing more: forget it."""

    place: Place


@dataclass(frozen=True, slots=True)
class Pause:
    """Stop fetching."""

    partitions: frozenset[Partition]
    why: str


@dataclass(frozen=True, slots=True)
class Resume:
    """Fetch again."""

    partitions: frozenset[Partition]


@dataclass(frozen=True, slots=True)
class Rewound:
    """The log goes on before what was read of it: read it again from ``place``, as a new assignment."""

    place: Place


@dataclass(frozen=True, slots=True)
class Commit:
    """Commit; answer ``committed`` when the broker took it."""

    offsets: Mapping[Partition, Position]


@dataclass(frozen=True, slots=True)
class Drop:
    """Cancel and forget everything of this partition up to this epoch: it is not ours any more."""

    partition: Partition
    epoch: int


Action = (
    Handle
    | Wait
    | Probe
    | Pace
    | Copy
    | DeadLetter
    | Hold
    | Fetch
    | Release
    | Load
    | Skip
    | Rewound
    | Complete
    | Pause
    | Resume
    | Commit
    | Drop
)
