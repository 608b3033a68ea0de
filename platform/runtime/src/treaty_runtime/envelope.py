"""From a record to the envelope a handler sees: headers read, what is missing or unreadable derived from the record itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from treaty_runtime import headers as names
from treaty_runtime.event import Envelope, Place, Record
from treaty_runtime.event_id import EPOCH, as_event_id, derived_id
from treaty_runtime.headers import read_text

E = TypeVar("E")


def seal(record: Record, event: E, headers: Mapping[str, bytes], *, schema_id: int, attempt: int) -> Envelope[E]:
    """The envelope of an event. ``headers`` are the record's first values; ``schema_id`` 0 for raw records.

    Without `ce_id` the id is derived from the first place, so that every retry has the same.
    """
    origin = names.origin_of(record.place, headers)
    source = read_text(headers.get(names.SOURCE)) or ""
    event_id = _id(headers.get(names.ID), source, origin)
    correlation = headers.get(names.CORRELATION_ID)
    is_own_chain = correlation is None or correlation == headers.get(names.ID)
    causation = headers.get(names.CAUSATION_ID)
    stamped = _stamp(record.timestamp_ms)
    return Envelope(
        event=event,
        id=event_id,
        type=read_text(headers.get(names.TYPE)) or str(getattr(event, "__event_type__", "")),
        source=source,
        time=names.read_time(headers.get(names.TIME)) or stamped,
        subject=read_text(headers.get(names.SUBJECT)) or (record.key or b"").decode(errors="replace"),
        key=record.key,
        correlation_id=event_id if is_own_chain else _id(correlation, source, origin),
        causation_id=_id(causation, source, origin) if causation is not None else None,
        place=record.place,
        origin=origin,
        timestamp=stamped,
        schema_id=schema_id,
        headers=headers,
        attempt=attempt,
        is_replay=names.REPLAY_ID in headers,
    )


def _id(value: bytes | None, source: str, origin: Place) -> UUID:
    text = read_text(value)
    return (
        as_event_id(text, source=source)
        if text
        else derived_id(origin.topic, str(origin.partition), str(origin.offset))
    )


def _stamp(milliseconds: int) -> datetime:
    try:
        return EPOCH + timedelta(milliseconds=max(milliseconds, 0))
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)  # a producer's nonsense must not stop the group
