"""Copies of a failed record: onto a retry topic or the dead-letter topic. Key and value bytes never change.

The original place is written once and then kept; exception headers are replaced on each hop. A copy that would be too large loses
the stack, then the message; a dead letter still too large becomes a pointer: no value and no long header, but the place where the
record lies, and which event it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from treaty_runtime.clock import EPOCH
from treaty_runtime.event import Headers, Record
from treaty_runtime.transport import Outgoing
from treaty_runtime.wire import headers as names
from treaty_runtime.wire.failure import Failure
from treaty_runtime.wire.headers import DEAD_LETTER_PREFIX, RETRY_PREFIX

COPY_BYTES = 1_000_000
"""Largest copy: below the broker's `message.max.bytes` (1,048,588) with room for its own framing."""

_RECORD_OVERHEAD_BYTES = 70
_HEADER_OVERHEAD_BYTES = 10
_PLACE = (names.ORIGINAL_TOPIC, names.ORIGINAL_PARTITION, names.ORIGINAL_OFFSET)
_ORIGINAL = (*_PLACE, names.ORIGINAL_TIMESTAMP, names.ORIGINAL_TIMESTAMP_TYPE)
_SHORT_BYTES = 255
"""Of what a header of an earlier hop may have: nothing that we or Spring Kafka write is longer, and a pointer has to fit anywhere."""
_READERS: Mapping[str, Callable[[bytes], object]] = {
    names.ORIGINAL_TOPIC: names.read_text, names.ORIGINAL_PARTITION: names.read_int32, names.ORIGINAL_OFFSET: names.read_int64,
    names.ORIGINAL_TIMESTAMP: names.read_int64,
    names.ORIGINAL_TIMESTAMP_TYPE: names.read_text,  # not by its words: Java writes `CreateTime`, we `CREATE_TIME`
}  # fmt: skip
_TOLD_OF_EVENT = (
    names.ID, names.SOURCE, names.TYPE, names.TIME, names.SUBJECT, names.SPECVERSION, names.CORRELATION_ID, names.CAUSATION_ID,
    names.REPLAY_ID, names.REPLAY_COUNT, names.REPLACES,
)  # fmt: skip
_EXCEPTION = (names.EXCEPTION_FQCN, names.EXCEPTION_CAUSE, names.EXCEPTION_MESSAGE, names.EXCEPTION_STACK)
_OF_PREFIXES = frozenset(
    prefix + name for prefix in (RETRY_PREFIX, DEAD_LETTER_PREFIX) for name in (*_ORIGINAL, *_EXCEPTION)
)
_OF_HOPS = _OF_PREFIXES | {names.ORIGINAL_GROUP, names.ATTEMPTS, names.BACKOFF_TIMESTAMP, names.FIRST_TIMESTAMP}


def first_hop(record: Record) -> Record:
    """The record without what its headers tell of hops: on a topic that is no retry topic of the group, others wrote them."""
    if _OF_HOPS.isdisjoint(name for name, _ in record.headers):
        return record
    kept = tuple((name, value) for name, value in record.headers if name not in _OF_HOPS)
    return Record(record.place, record.key, record.value, kept, record.timestamp_ms, record.is_log_append_time)


def retry_copy(
    record: Record, *, topic: str, group: str, attempt: int, due: datetime, failure: Failure, limit: int = COPY_BYTES
) -> Outgoing:
    """The record on its way to coming attempt number ``attempt``, not before ``due``."""
    milliseconds = -((EPOCH - due) // timedelta(milliseconds=1))  # rounded up: never early
    first = names.first_values(record.headers)
    began = first.get(names.FIRST_TIMESTAMP, b"")
    if names.read_big_integer(began) is None:
        began = names.big_integer(max(record.timestamp_ms, 0))
    schedule = {
        names.ATTEMPTS: names.int32(attempt),
        names.BACKOFF_TIMESTAMP: names.big_integer(milliseconds),
        names.FIRST_TIMESTAMP: began,
    }
    ours = {**_original(record, first, RETRY_PREFIX), **_group(first, group), **schedule}
    return _fitted(record, ours, failure, topic=topic, prefix=RETRY_PREFIX, limit=limit)


def dead_letter(
    record: Record,
    *,
    topic: str,
    group: str,
    reason: str,
    handler: str,
    event_type: str,
    failure: Failure,
    limit: int = COPY_BYTES,
) -> Outgoing:
    """The record as a dead letter; ``limit`` (bytes) 0 makes it a pointer.

    ``reason`` is one word (`undecodable`, `not-allowed`, `oversize`, `rejected`, `failed`), then the detail.
    """
    first = names.first_values(record.headers)
    cause = {
        names.REASON: reason.encode(),
        names.FINGERPRINT: failure.fingerprint(group=group, event_type=event_type).encode(),
        names.HANDLER: handler.encode(),
    }
    ours = {**_original(record, first, DEAD_LETTER_PREFIX), **_group(first, group), **cause}
    return _fitted(record, ours, failure, topic=topic, prefix=DEAD_LETTER_PREFIX, limit=limit)


def _group(first: Mapping[str, bytes], group: str) -> dict[str, bytes]:
    known = first.get(names.ORIGINAL_GROUP, b"")
    is_known = len(known) <= _SHORT_BYTES and names.read_text(known)
    return {names.ORIGINAL_GROUP: known if is_known else group.encode()}


def _fitted(
    record: Record, ours: Mapping[str, bytes], failure: Failure, *, topic: str, prefix: str, limit: int
) -> Outgoing:
    replaced = _OF_PREFIXES | ours.keys()
    kept = tuple((name, value) for name, value in record.headers if name not in replaced)
    for told in (failure, replace(failure, stack=""), replace(failure, stack="", message="")):
        headers = (*kept, *ours.items(), *_exception(told, prefix).items())
        copy = Outgoing(topic=topic, key=record.key, value=record.value, headers=headers)
        is_least = not (told.stack or told.message)
        if size_of(copy) <= limit or (prefix == RETRY_PREFIX and is_least):
            return copy  # what is retried needs its value; if the broker refuses it, a dead letter follows
    return _pointer(record, topic, ours)


def _pointer(record: Record, topic: str, ours: Mapping[str, bytes]) -> Outgoing:
    reason = f"oversize {len(record.value or b'')} bytes: the value stays at the original place".encode()
    key = record.key if record.key is not None and len(record.key) <= 512 else None
    first = names.first_values(record.headers)
    event = {name: first[name] for name in _TOLD_OF_EVENT if name in first and len(first[name]) <= _SHORT_BYTES}
    return Outgoing(topic=topic, key=key, value=b"", headers=tuple({**event, **ours, names.REASON: reason}.items()))


def _original(record: Record, first: Mapping[str, bytes], prefix: str) -> dict[str, bytes]:
    for known in (RETRY_PREFIX, DEAD_LETTER_PREFIX):
        kept = {name: first[known + name] for name in _ORIGINAL if known + name in first}
        # All or none: a letter that names half a place names none, and a pointer without one has lost its value.
        if kept.keys() >= {*_PLACE} and all(_is_readable(name, value) for name, value in kept.items()):
            return {prefix + name: value for name, value in kept.items()}
    place = record.place
    return {
        prefix + names.ORIGINAL_TOPIC: place.topic.encode(),
        prefix + names.ORIGINAL_PARTITION: names.int32(place.partition),
        prefix + names.ORIGINAL_OFFSET: names.int64(place.offset),
        prefix + names.ORIGINAL_TIMESTAMP: names.int64(record.timestamp_ms),
        prefix + names.ORIGINAL_TIMESTAMP_TYPE: b"LOG_APPEND_TIME" if record.is_log_append_time else b"CREATE_TIME",
    }


def _is_readable(name: str, value: bytes) -> bool:
    return 0 < len(value) <= _SHORT_BYTES and _READERS[name](value) is not None


def _exception(failure: Failure, prefix: str) -> dict[str, bytes]:
    told = {
        names.EXCEPTION_FQCN: failure.error_class,
        names.EXCEPTION_CAUSE: failure.cause_class or "",
        names.EXCEPTION_MESSAGE: failure.message,
        names.EXCEPTION_STACK: failure.stack,
    }
    return {prefix + name: text.encode() for name, text in told.items() if text}


def size_of(record: Outgoing) -> int:
    """Upper estimate of a record's bytes in a batch of its own."""
    return _RECORD_OVERHEAD_BYTES + len(record.key or b"") + len(record.value or b"") + size_of_headers(record.headers)


def size_of_headers(headers: Headers) -> int:
    """Bytes of headers, each with room for its two length prefixes."""
    return sum(len(name.encode()) + len(value) + _HEADER_OVERHEAD_BYTES for name, value in headers)
