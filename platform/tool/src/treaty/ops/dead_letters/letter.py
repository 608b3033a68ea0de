"""A dead letter as people speak of it, read from the headers of its record. Pure, but for ``Letter.body``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import merge

from treaty_runtime.clock import EPOCH
from treaty_runtime.event import Partition, Place, Record
from treaty_runtime.wire import headers as names
from treaty_runtime.wire.headers import DEAD_LETTER_PREFIX, first_values, origin_of, read_text
from treaty_runtime.wire.masking import masked
from treaty_runtime.wire.replay_copy import replays_of

UNKNOWN = "unknown"
_OVERSIZE = "oversize"

Fetch = Callable[[Place], Record | None]
"""The record at a place; None if it is gone."""


class BytesGone(LookupError):
    """The bytes of a letter that is a pointer are no longer to be had."""


def _nowhere(_place: Place) -> Record | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One dead letter. ``group`` is None where another program wrote it; ``key`` is masked; ``replays`` counts the former ones."""

    place: Place
    at: datetime
    group: str | None
    origin: Place
    event_id: str | None
    event_type: str
    error: str
    message: str
    stack: str
    reason: str
    handler: str
    fingerprint: str
    attempts: int
    replay_id: str | None
    replays: int
    replaces: str | None
    key: str | None
    record: Record = field(repr=False)
    fetch: Fetch = field(default=_nowhere, repr=False, compare=False)

    @property
    def identity(self) -> str:
        """The same for all letters of one event and group, wherever they lie."""
        return f"{self.group} {self.event_id or self.origin}"

    @property
    def is_pointer(self) -> bool:
        """Whether the bytes lie at the original place only."""
        return not self.record.value and self.reason.startswith(_OVERSIZE)

    def body(self) -> Record | None:
        """The record that holds the bytes of a pointer; None for any other letter, which holds its own.

        Raises ``BytesGone`` where that record is gone, or another event lies at its place.
        """
        if not self.is_pointer:
            return None
        found = self.fetch(self.origin)
        if found is None:
            raise BytesGone(f"the bytes are gone: there is no record at {self.origin}")
        ours, theirs = (first_values(each.headers).get(names.ID) for each in (self.record, found))
        # A topic that was made anew counts from zero again. A pointer has no id where the event has none, or a very long one.
        if ours is not None and ours != theirs:
            raise BytesGone(f"the bytes are gone: another event lies at {self.origin}")
        return found

    @property
    def cause(self) -> str:
        """The exception's class, or the reason where there was none."""
        return self.error.rpartition(".")[2] or self.reason.partition(" ")[0] or UNKNOWN


def letter_of(record: Record, *, fetch: Fetch = _nowhere) -> Letter:
    """Reads a record of a dead-letter topic; what is missing or unreadable is told as unknown. ``fetch`` finds a pointer's bytes."""
    first = first_values(record.headers)

    def text(name: str) -> str:
        return read_text(first.get(name)) or ""

    return Letter(
        place=record.place,
        at=EPOCH + timedelta(milliseconds=max(record.timestamp_ms, 0)),
        group=text(names.ORIGINAL_GROUP) or None,
        origin=origin_of(record.place, first),
        event_id=text(names.ID) or None,
        event_type=text(names.TYPE) or UNKNOWN,
        error=text(DEAD_LETTER_PREFIX + names.EXCEPTION_FQCN),
        message=text(DEAD_LETTER_PREFIX + names.EXCEPTION_MESSAGE),
        stack=text(DEAD_LETTER_PREFIX + names.EXCEPTION_STACK),
        reason=text(names.REASON),
        handler=text(names.HANDLER),
        fingerprint=text(names.FINGERPRINT) or UNKNOWN,
        attempts=_attempts(first),
        replay_id=text(names.REPLAY_ID) or None,
        replays=replays_of(record.headers),
        replaces=text(names.REPLACES) or None,
        key=None if record.key is None else masked(record.key.decode(errors="replace")),
        record=record,
        fetch=fetch,
    )


def in_order(letters: Mapping[Place, Letter]) -> list[Letter]:
    """Letters as they were given up: those of a partition by offset, an edited copy where its letter was, and partitions by time."""
    by_name = {str(place): place for place in letters}
    first: dict[Place, Place] = {}
    for place in sorted(letters):  # a copy comes after what it replaces
        before = by_name.get(letters[place].replaces or "")
        first[place] = place if before is None else first.get(before, place)
    of_partition: dict[Partition, list[Letter]] = defaultdict(list)
    for place in sorted(letters, key=lambda place: (first[place], place)):
        of_partition[first[place].of].append(letters[place])
    # Merged, not sorted: clocks differ, and the order within a partition is that of a key.
    return list(merge(*of_partition.values(), key=lambda letter: letters[first[letter.place]].at))


def _attempts(first: Mapping[str, bytes]) -> int:
    attempt = names.read_int32(first.get(names.ATTEMPTS))
    return attempt if attempt is not None and attempt >= 1 else 1
