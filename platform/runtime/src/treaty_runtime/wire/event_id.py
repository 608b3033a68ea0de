"""Event ids: a new UUIDv7, and the UUID by which the inbox knows a record whose id is no UUID."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID, uuid5

from treaty_runtime.clock import EPOCH

_MILLISECOND = timedelta(milliseconds=1)

NAMESPACE = UUID("3d7f2f0a-6f0e-5b9e-9c58-8f6f4a1b2c3d")
"""Namespace of ids that are derived rather than given; fixed for ever, inbox rows depend on it."""


def new_event_id(now: datetime, *, entropy: bytes) -> UUID:
    """UUIDv7 of an aware instant and 10 random bytes; ids of later milliseconds sort later. Source: RFC 9562, section 5.7."""
    milliseconds = _milliseconds(now)
    tail = int.from_bytes(entropy[:10], "big")
    high = (milliseconds << 16) | 0x7000 | ((tail >> 62) & 0x0FFF)
    low = (0b10 << 62) | (tail & ((1 << 62) - 1))
    return UUID(int=(high << 64) | low)


@lru_cache(maxsize=16)
def _milliseconds(now: datetime) -> int:
    return (now - EPOCH) // _MILLISECOND


def derived_id(*parts: str) -> UUID:
    """UUIDv5 of texts that identify a record: `ce_source` and `ce_id`, or topic, partition and offset."""
    return uuid5(NAMESPACE, "\x00".join(parts))


def as_event_id(text: str, *, source: Callable[[], str]) -> UUID:
    """The UUID that the text is, else the one derived from source and text (CloudEvents: source + id is unique).

    ``source`` is asked only then: another header would be read for each event.
    """
    try:
        return UUID(text)
    except ValueError:
        return derived_id(source(), text)
