"""Dates and times as integers since the epoch, by integer arithmetic only: floats would shift them.

Law: nothing is rounded. What a schema's unit cannot say is refused; what Python's calendar cannot say, too.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LOCAL_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  # local timestamps have no zone
_EPOCH_DAY: Final = 719_163
_DAY_MICROS: Final = 86_400_000_000


def date_days(value: object) -> int:
    """Days since 1970-01-01; a ``datetime`` is refused, for it would lose its time."""
    if not isinstance(value, date) or isinstance(value, datetime):
        raise TypeError(f"expected a date, got {type(value).__name__}")
    return value.toordinal() - _EPOCH_DAY


def date_value(days: int) -> date:
    """The date so many days after 1970-01-01; ``ValueError`` outside the years 1–9999."""
    try:
        return date.fromordinal(days + _EPOCH_DAY)
    except OverflowError:
        raise ValueError(f"{days} days are outside the years 1 to 9999") from None


def time_writer(name: str, unit: int) -> Callable[[object], int]:
    """From ``time`` to units of so many microseconds since midnight; ``name`` is the logical type's."""

    def write(value: object) -> int:
        if not isinstance(value, time):
            raise TypeError(f"expected a time, got {type(value).__name__}")
        if value.tzinfo is not None:
            raise ValueError("has a time zone, the schema keeps none")
        seconds = (value.hour * 60 + value.minute) * 60 + value.second
        return _in_units(seconds * 1_000_000 + value.microsecond, name, unit)

    return write


def time_reader(unit: int) -> Callable[[int], time]:
    """From units of so many microseconds since midnight to ``time``; ``ValueError`` outside one day."""

    def read(number: int) -> time:
        micros = number * unit
        if not 0 <= micros < _DAY_MICROS:
            raise ValueError(f"{number} is not within one day")
        seconds, micros = divmod(micros, 1_000_000)
        return time(seconds // 3600, seconds // 60 % 60, seconds % 60, micros)

    return read


def timestamp_writer(name: str, unit: int, *, is_local: bool) -> Callable[[object], int]:
    """From ``datetime`` (aware, or naive if local) to units of so many microseconds since the epoch."""
    epoch = _LOCAL_EPOCH if is_local else _EPOCH
    per_second = 1_000_000 // unit
    problem = "has a time zone, the schema keeps none" if is_local else "has no time zone; say which one is meant"

    def write(value: object) -> int:
        if not isinstance(value, datetime):
            raise TypeError(f"expected a datetime, got {type(value).__name__}")
        try:
            passed = value - epoch
        except TypeError:
            raise ValueError(problem) from None
        micros = passed.microseconds
        number = micros // unit
        if number * unit != micros:
            number = _in_units(micros, name, unit)
        return (passed.days * 86_400 + passed.seconds) * per_second + number

    return write


def timestamp_reader(unit: int, *, is_local: bool) -> Callable[[int], datetime]:
    """From units of so many microseconds since the epoch to ``datetime``: in UTC, or naive if local."""
    epoch = _LOCAL_EPOCH if is_local else _EPOCH
    step = timedelta(microseconds=unit)

    def read(number: int) -> datetime:
        try:
            return epoch + number * step
        except OverflowError:
            raise ValueError(f"{number} is outside the years 1 to 9999") from None

    return read


def _in_units(micros: int, name: str, unit: int) -> int:
    number, rest = divmod(micros, unit)
    if rest:
        wider = name.replace("millis", "micros")
        raise ValueError(f"has parts of a millisecond; {name} keeps milliseconds: round it yourself or use {wider}")
    return number
