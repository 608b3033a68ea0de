"""A dead letter on its way back to the group that gave it up. Pure.

Key, value and event id never change, so that the inbox drops what was handled after all, and one key stays in order. What the
failure left behind is taken off: the record begins its attempts anew.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from treaty_runtime.clock import EPOCH
from treaty_runtime.errors import TreatyError
from treaty_runtime.event import Headers, Record
from treaty_runtime.retry import retry_topic
from treaty_runtime.transport import Outgoing
from treaty_runtime.wire import headers as names
from treaty_runtime.wire.event_id import derived_id
from treaty_runtime.wire.headers import DEAD_LETTER_PREFIX, RETRY_PREFIX, first_values, read_text

MAX_REPLAYS = 3

_ORIGINAL = (
    names.ORIGINAL_TOPIC, names.ORIGINAL_PARTITION, names.ORIGINAL_OFFSET,
    names.ORIGINAL_TIMESTAMP, names.ORIGINAL_TIMESTAMP_TYPE,
)  # fmt: skip
_EXCEPTION = (names.EXCEPTION_FQCN, names.EXCEPTION_CAUSE, names.EXCEPTION_MESSAGE, names.EXCEPTION_STACK)
_SHED = frozenset(
    {prefix + name for prefix in (RETRY_PREFIX, DEAD_LETTER_PREFIX) for name in (*_ORIGINAL, *_EXCEPTION)}
    | {names.REASON, names.FINGERPRINT, names.HANDLER, names.ATTEMPTS, names.BACKOFF_TIMESTAMP}
    | {names.ORIGINAL_GROUP, names.REPLAY_ID, names.REPLAY_COUNT}
)


class NotReplayable(TreatyError):
    """This record cannot go back to its group."""


def replays_of(headers: Headers) -> int:
    """How often a record has been replayed before; unreadable counts as never."""
    text = read_text(first_values(headers).get(names.REPLAY_COUNT)) or ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else 0


def replay_copy(letter: Record, *, body: Record | None, replay_id: str, now: datetime) -> Outgoing:
    """The record as its group gets it once more, by `retry.<group>.0s`.

    ``body`` holds the bytes where the dead letter is only a pointer to them, else None. Raises ``NotReplayable`` for a letter that
    names no group or place, and for one that was replayed three times.
    """
    first = first_values(letter.headers)
    group = read_text(first.get(names.ORIGINAL_GROUP))
    original = {name: first.get(DEAD_LETTER_PREFIX + name) for name in _ORIGINAL}
    if not group or original[names.ORIGINAL_TOPIC] is None:
        raise NotReplayable(f"{letter.place} does not say which group gave it up: treaty did not write it.")
    count = replays_of(letter.headers)
    if count >= MAX_REPLAYS:
        raise NotReplayable(f"Fix the cause first; {letter.place} was replayed {count} times.")
    source = body or letter
    kept = tuple((name, value) for name, value in source.headers if name not in _SHED)
    milliseconds = (now - EPOCH) // timedelta(milliseconds=1)
    ours = {RETRY_PREFIX + name: value for name, value in original.items() if value is not None} | {
        names.ORIGINAL_GROUP: group.encode(),
        names.ATTEMPTS: names.int32(1),
        names.BACKOFF_TIMESTAMP: names.big_integer(milliseconds),
        names.REPLAY_ID: replay_id.encode(),
        names.REPLAY_COUNT: str(count + 1).encode(),
    }
    return Outgoing(
        topic=retry_topic(group, delay="0s"), key=source.key, value=source.value, headers=(*kept, *ours.items())
    )


def edited_copy(letter: Record, *, value: bytes, dataschema: str | None) -> Outgoing:
    """The dead letter with another value, to lie beside the old one in the same topic until it is replayed.

    Its event id is new, and the same for the same edit of the same letter: an edit that was made twice is one event.
    """
    first = first_values(letter.headers)
    old = read_text(first.get(names.ID)) or str(letter.place)
    new: dict[str, bytes] = {
        names.ID: str(edited_id(letter, value=value)).encode(),
        names.REPLACES: old.encode(),
    }
    if dataschema is not None:
        new[names.DATASCHEMA] = dataschema.encode()
    kept = tuple((name, told) for name, told in letter.headers if name not in new)
    return Outgoing(
        topic=letter.place.topic,
        key=letter.key,
        value=value,
        headers=(*kept, *new.items()),
        partition=letter.place.partition,
    )


def edited_id(letter: Record, *, value: bytes) -> UUID:
    """The event id that a letter gets with this value."""
    return derived_id("edit", str(letter.place), value.hex())
