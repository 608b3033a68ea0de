"""From a record to the envelope a handler sees: headers read, what is missing or unreadable derived from the record itself.

Most handlers ask an envelope for nothing but its event. So headers are read when first asked for, each by its reader below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from treaty_runtime.clock import EPOCH
from treaty_runtime.event import Envelope, Place, Record
from treaty_runtime.retry import is_retry_topic
from treaty_runtime.wire import headers as names
from treaty_runtime.wire.event_id import as_event_id, derived_id
from treaty_runtime.wire.headers import read_text

E = TypeVar("E")


def seal(record: Record, event: E, *, schema_id: int, attempt: int) -> Envelope[E]:
    """The envelope of an event; ``schema_id`` 0 for raw records.

    Without `ce_id` the id is derived from the first place, so that every retry has the same. Elsewhere than on retry topics the
    first place is the record's own, whatever its headers say.
    """
    envelope: Envelope[E] = object.__new__(Envelope)
    own = envelope.__dict__
    own["_read"], own["_record"] = _read, record
    own["event"], own["schema_id"], own["attempt"] = event, schema_id, attempt
    return envelope


def _read(envelope: Envelope[Any], name: str) -> object:
    """The value of a field that was left out; ``KeyError`` for any other name."""
    return _READERS[name](envelope)


def _headers(envelope: Envelope[Any]) -> Mapping[str, bytes]:
    record: Record = envelope.__dict__["_record"]
    return names.first_values(record.headers)


def _place(envelope: Envelope[Any]) -> Place:
    record: Record = envelope.__dict__["_record"]
    return record.place


def _key(envelope: Envelope[Any]) -> bytes | None:
    record: Record = envelope.__dict__["_record"]
    return record.key


def _is_replay(envelope: Envelope[Any]) -> bool:
    return names.REPLAY_ID in envelope.headers


def _source(envelope: Envelope[Any]) -> str:
    return read_text(envelope.headers.get(names.SOURCE)) or ""


def _type(envelope: Envelope[Any]) -> str:
    return read_text(envelope.headers.get(names.TYPE)) or str(getattr(envelope.event, "__event_type__", ""))


def _subject(envelope: Envelope[Any]) -> str:
    return read_text(envelope.headers.get(names.SUBJECT)) or (envelope.key or b"").decode(errors="replace")


def _time(envelope: Envelope[Any]) -> datetime:
    return names.read_time(envelope.headers.get(names.TIME)) or envelope.timestamp


def _origin(envelope: Envelope[Any]) -> Place:
    place = envelope.place
    return names.origin_of(place, envelope.headers) if is_retry_topic(place.topic) else place


def _event_id(envelope: Envelope[Any]) -> UUID:
    return _id(envelope.headers.get(names.ID), envelope)


def _correlation(envelope: Envelope[Any]) -> UUID:
    told = envelope.headers.get(names.CORRELATION_ID)
    is_own_chain = told is None or told == envelope.headers.get(names.ID)
    return envelope.id if is_own_chain else _id(told, envelope)


def _causation(envelope: Envelope[Any]) -> UUID | None:
    told = envelope.headers.get(names.CAUSATION_ID)
    return None if told is None else _id(told, envelope)


def _timestamp(envelope: Envelope[Any]) -> datetime:
    record: Record = envelope.__dict__["_record"]
    try:
        return EPOCH + timedelta(milliseconds=max(record.timestamp_ms, 0))
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)  # a producer's nonsense must not stop the group


def _id(value: bytes | None, envelope: Envelope[Any]) -> UUID:
    text = read_text(value)
    if text:
        return as_event_id(text, source=lambda: envelope.source)
    topic, partition, offset = envelope.origin
    return derived_id(topic, str(partition), str(offset))


_READERS: dict[str, Callable[[Envelope[Any]], object]] = {
    "headers": _headers,
    "place": _place,
    "key": _key,
    "is_replay": _is_replay,
    "source": _source,
    "type": _type,
    "subject": _subject,
    "time": _time,
    "origin": _origin,
    "id": _event_id,
    "correlation_id": _correlation,
    "causation_id": _causation,
    "timestamp": _timestamp,
}
