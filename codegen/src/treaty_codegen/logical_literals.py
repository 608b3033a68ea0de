"""Values of logical types for Python source, from the raw value that Avro has for them.

Each function raises ValueError or OverflowError where the raw value has no Python form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  # wall-clock arithmetic; the zone is written beside the value
_DAY_MICROS: Final = 86_400_000_000


def decimal_text(data: bytes, *, precision: int, scale: int) -> str:
    """Two's complement big-endian bytes as the text of a decimal with exactly ``scale`` decimals."""
    unscaled = int.from_bytes(data, "big", signed=True)
    digits = str(abs(unscaled))
    if not data or len(digits) > precision:
        raise ValueError(f"has {len(digits) if data else 0} digits, the decimal takes 1 to {precision}")
    return str(Decimal((int(unscaled < 0), tuple(map(int, digits)), -scale)))


def uuid_text(text: str) -> str:
    """A UUID's usual text, from either case."""
    if str(UUID(text)) != text.lower():
        raise ValueError(f"{text!r:.80} is not 8-4-4-4-12 hex digits")
    return text.lower()


def date_literal(days: int) -> str:
    """A date from days since 1970-01-01."""
    day = date(1970, 1, 1) + timedelta(days=days)
    return f"_datetime.date({day.year}, {day.month}, {day.day})"


def time_literal(micros: int) -> str:
    """A time of day from microseconds since midnight."""
    if not 0 <= micros < _DAY_MICROS:
        raise ValueError(f"{micros} microseconds are not within one day")
    at = _EPOCH + timedelta(microseconds=micros)
    return f"_datetime.time({at.hour}, {at.minute}, {at.second}, {at.microsecond})"


def datetime_literal(micros: int, *, zone: str) -> str:
    """A point in time from microseconds since the epoch; ``zone`` is the source of further arguments, "" for a naive one."""
    at = _EPOCH + timedelta(microseconds=micros)
    parts = f"{at.year}, {at.month}, {at.day}, {at.hour}, {at.minute}, {at.second}, {at.microsecond}"
    return f"_datetime.datetime({parts}{zone})"


_UTC: Final = ", tzinfo=_datetime.timezone.utc"

CALENDAR: Final[Mapping[str, Callable[[int], str]]] = {
    "date": date_literal,
    "time-millis": lambda value: time_literal(value * 1000),
    "time-micros": time_literal,
    "timestamp-millis": lambda value: datetime_literal(value * 1000, zone=_UTC),
    "timestamp-micros": lambda value: datetime_literal(value, zone=_UTC),
    "local-timestamp-millis": lambda value: datetime_literal(value * 1000, zone=""),
    "local-timestamp-micros": lambda value: datetime_literal(value, zone=""),
}
"""Dates and times: the source of a raw value, for which ``_datetime`` must be imported."""
