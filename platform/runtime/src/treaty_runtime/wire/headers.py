"""Record headers: CloudEvents in binary mode for events, Spring Kafka's for retries and dead letters.

Text is UTF-8, numbers are big-endian. Of repeated names the first counts; what cannot be read is ignored and named.

Sources: CloudEvents 1.0.2 Kafka protocol binding; Spring Kafka `KafkaHeaders`, `RetryTopicHeaders`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

from treaty_runtime.clock import EPOCH
from treaty_runtime.errors import InvalidHeaders
from treaty_runtime.event import Headers, Place

ID, SOURCE, TYPE, TIME, SUBJECT = "ce_id", "ce_source", "ce_type", "ce_time", "ce_subject"
SPECVERSION, DATASCHEMA, CONTENT_TYPE = "ce_specversion", "ce_dataschema", "content-type"
CORRELATION_ID, CAUSATION_ID = "ce_correlationid", "ce_causationid"

RETRY_PREFIX, DEAD_LETTER_PREFIX = "kafka_", "kafka_dlt-"
ORIGINAL_TOPIC, ORIGINAL_PARTITION, ORIGINAL_OFFSET = "original-topic", "original-partition", "original-offset"
ORIGINAL_TIMESTAMP, ORIGINAL_TIMESTAMP_TYPE = "original-timestamp", "original-timestamp-type"
ORIGINAL_GROUP = "kafka_dlt-original-consumer-group"  # Spring writes this very name on retry topics too
EXCEPTION_FQCN, EXCEPTION_CAUSE = "exception-fqcn", "exception-cause-fqcn"
EXCEPTION_MESSAGE, EXCEPTION_STACK = "exception-message", "exception-stacktrace"

ATTEMPTS = "retry_topic-attempts"
BACKOFF_TIMESTAMP, FIRST_TIMESTAMP = "retry_topic-backoff-timestamp", "retry_topic-original-timestamp"

REASON, FINGERPRINT, HANDLER = "treaty-reason", "treaty-fingerprint", "treaty-handler"
REPLAY_ID, REPLAY_COUNT, REPLACES = "treaty-replay-id", "treaty-replay-count", "treaty-replaces"

_TRACE_PARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_AVRO = b"application/avro"
_RETRIED, _BURIED = RETRY_PREFIX + ORIGINAL_TOPIC, DEAD_LETTER_PREFIX + ORIGINAL_TOPIC


def event_headers(  # one argument per header
    *,
    event_id: UUID,
    source: str,
    type: str,  # noqa: A002  # CloudEvents' word
    time: datetime,
    subject: str,
    dataschema: str | None,
    correlation_id: UUID,
    causation_id: UUID | None = None,
    extra: Mapping[str, bytes] | None = None,
) -> Headers:
    """Headers of an event. ``time`` is aware; ``dataschema`` the URL of its schema; ``extra`` adds names, never replaces ours.

    Raises InvalidHeaders for extra ones that Kafka's client does not survive or would send under another name.
    """
    identity = str(event_id).encode()
    own: Headers = (
        *_same_for_all(source, type, dataschema),
        (ID, identity),
        (TIME, _time_value(time)),
        (SUBJECT, subject.encode()),
        (CORRELATION_ID, identity if correlation_id is event_id else str(correlation_id).encode()),
    )
    if causation_id is not None:
        own += ((CAUSATION_ID, str(causation_id).encode()),)
    if extra:
        names = dict(own)
        own += tuple((_checked(name, value), value) for name, value in extra.items() if name not in names)
    return own


def _checked(name: object, value: object) -> str:
    if not isinstance(value, bytes):
        raise InvalidHeaders(f"The value of header {name!r:.80} is no bytes.")
    try:
        if isinstance(name, str) and b"\x00" not in name.encode():
            return name
    except UnicodeEncodeError:
        pass
    raise InvalidHeaders(f"{name!r:.80} names no header: a name is Unicode text without a zero character.")


@lru_cache(maxsize=1_024)
def _same_for_all(source: str, type: str, dataschema: str | None) -> Headers:  # noqa: A002  # CloudEvents' word
    """Headers that all events of a class and service share."""
    shared = ((SPECVERSION, b"1.0"), (SOURCE, source.encode()), (TYPE, type.encode()), (CONTENT_TYPE, _AVRO))
    return shared if dataschema is None else (*shared, (DATASCHEMA, dataschema.encode()))


@lru_cache(maxsize=1_024)
def source_of(full_name: str, service: str) -> str:
    """`/mall/order` for `mall.order.OrderPaid` sent by service `order`."""
    return f"/{full_name.partition('.')[0]}/{service}"


@lru_cache(maxsize=1_024)
def dataschema_of(registry_url: str, schema_id: int) -> str:
    """URL of a schema, for people: no credentials in it."""
    scheme, separator, rest = registry_url.rstrip("/").partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}/schemas/ids/{schema_id}"


def first_values(headers: Headers) -> dict[str, bytes]:
    """First value of each name."""
    return dict(reversed(headers))


def format_time(time: datetime) -> str:
    """RFC 3339 with microseconds and `Z`."""
    utc = time if time.tzinfo is UTC else time.astimezone(UTC)
    return utc.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


@lru_cache(maxsize=16)
def _time_value(time: datetime) -> bytes:
    """Events that are published together have one time."""
    return format_time(time).encode()


def read_text(value: bytes | None) -> str | None:
    """Text of a header; None if absent or not UTF-8."""
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None


def read_time(value: bytes | None) -> datetime | None:
    """An aware instant from RFC 3339; None if absent, unreadable or without a zone."""
    text = read_text(value)
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC) if time.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def int32(value: int) -> bytes:
    """Four bytes, big-endian, signed (Java `ByteBuffer.putInt`)."""
    return value.to_bytes(4, "big", signed=True)


def int64(value: int) -> bytes:
    """Eight bytes, big-endian, signed (Java `ByteBuffer.putLong`)."""
    return value.to_bytes(8, "big", signed=True)


def big_integer(value: int) -> bytes:
    """Minimal two's complement, big-endian (Java `BigInteger.toByteArray`); zero is one byte."""
    bits = value.bit_length() if value >= 0 else (value + 1).bit_length()
    return value.to_bytes(bits // 8 + 1, "big", signed=True)


def read_int32(value: bytes | None) -> int | None:
    """A number of exactly four bytes, else None."""
    return int.from_bytes(value, "big", signed=True) if value is not None and len(value) == 4 else None


def read_int64(value: bytes | None) -> int | None:
    """A number of exactly eight bytes, else None."""
    return int.from_bytes(value, "big", signed=True) if value is not None and len(value) == 8 else None


def read_big_integer(value: bytes | None) -> int | None:
    """A number of one to eight bytes, else None."""
    return int.from_bytes(value, "big", signed=True) if value is not None and 1 <= len(value) <= 8 else None


def read_milliseconds(value: bytes | None) -> datetime | None:
    """An instant from ``big_integer`` milliseconds since the epoch; None if unreadable or beyond year 9999."""
    milliseconds = read_big_integer(value)
    if milliseconds is None:
        return None
    try:
        return EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None


def trace_id_of(headers: Mapping[str, bytes]) -> str:
    """The trace that an event belongs to, 32 hexadecimal digits; empty without one. Source: W3C Trace Context, "traceparent"."""
    known = _TRACE_PARENT.match(read_text(headers.get("traceparent")) or "")
    return known[1] if known else ""


def origin_of(place: Place, headers: Mapping[str, bytes]) -> Place:
    """The first place of a record: what retry or dead-letter headers say, else where it lies now."""
    if _RETRIED not in headers and _BURIED not in headers:
        return place
    for prefix in (RETRY_PREFIX, DEAD_LETTER_PREFIX):
        topic = read_text(headers.get(prefix + ORIGINAL_TOPIC))
        partition = read_int32(headers.get(prefix + ORIGINAL_PARTITION))
        offset = read_int64(headers.get(prefix + ORIGINAL_OFFSET))
        if topic and partition is not None and offset is not None:
            return Place(topic, partition, offset)
    return place


def attempt_of(headers: Mapping[str, bytes]) -> int:
    """Number of the coming attempt, 1 if the header is absent or unreadable."""
    return max(read_int32(headers.get(ATTEMPTS)) or 1, 1)


_READERS = {
    ID: read_text, SOURCE: read_text, TYPE: read_text, SUBJECT: read_text, TIME: read_time,
    CORRELATION_ID: read_text, CAUSATION_ID: read_text,
    ATTEMPTS: read_int32, BACKOFF_TIMESTAMP: read_milliseconds, FIRST_TIMESTAMP: read_milliseconds,
    REPLAY_ID: read_text, REPLAY_COUNT: read_text,
}  # fmt: skip


def unreadable(headers: Mapping[str, bytes]) -> tuple[str, ...]:
    """Names of our headers that are present but not readable: they are treated as absent, and counted."""
    return tuple(name for name, value in headers.items() if name in _READERS and _READERS[name](value) is None)
