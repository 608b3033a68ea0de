"""What raw numbers, texts and bytes mean: the logical types, from value to raw and back, and from one to another.

Law: the reader's schema decides what a value means; a writer's different meaning is converted exactly, floored to a
coarser unit of time, or refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, TypeAlias

from treaty_avro.schema.model import Logical
from treaty_avro.values import decimals, durations, instants, uuids


class Meaning(IntEnum):
    """The logical types that have a Python class of their own; the numbers stand in plans."""

    DECIMAL = 0
    UUID = 1
    DATE = 2
    TIME_MILLIS = 3
    TIME_MICROS = 4
    TIMESTAMP_MILLIS = 5
    TIMESTAMP_MICROS = 6
    LOCAL_TIMESTAMP_MILLIS = 7
    LOCAL_TIMESTAMP_MICROS = 8
    DURATION = 9


_BY_NAME: Final = {meaning.name.lower().replace("_", "-"): meaning for meaning in Meaning}


@dataclass(frozen=True, slots=True)
class Scaled:
    """The raw number times ``times``, floor-divided by ``over``, is the raw number of the reader's logical type."""

    times: int
    over: int


@dataclass(frozen=True, slots=True)
class Requantized:
    """The same decimal number, with the reader's precision and scale."""

    writer: Logical
    reader: Logical


Conversion: TypeAlias = Scaled | Requantized | str | None
"""None: the reader's meaning of the raw value as it is; a string says why there is none."""

_PER_SECOND: Final = {"millis": 1_000, "micros": 1_000_000, "nanos": 1_000_000_000}


def meaning_of(logical: Logical | None) -> Meaning | None:
    """The meaning that has a class of its own; None for none, unknown ones and nanoseconds, which stay integers."""
    return None if logical is None else _BY_NAME.get(logical.kind)


def conversion(writer: Logical | None, reader: Logical | None) -> Conversion:
    """How the writer's raw value becomes the reader's."""
    if writer is None or reader is None or writer == reader:
        return None
    if writer.kind == reader.kind == "decimal":
        return Requantized(writer, reader)
    family, _, unit = writer.kind.rpartition("-")
    reader_family, _, reader_unit = reader.kind.rpartition("-")
    if family == reader_family and unit in _PER_SECOND and reader_unit in _PER_SECOND:
        have, want = _PER_SECOND[unit], _PER_SECOND[reader_unit]
        return Scaled(max(want // have, 1), max(have // want, 1))
    return f"a {writer.kind} is not read as a {reader.kind}"


def writer_of(meaning: Meaning, a: int, b: int, *, size: int = -1) -> Callable[[object], Any]:
    """From a Python value to its raw value; raises ``ValueError`` or ``TypeError`` with the reason.

    ``a``, ``b``: precision and scale of a decimal; ``size``: of the fixed that it stands on, -1 for bytes or text.
    """
    match meaning:
        case Meaning.DECIMAL:
            return decimals.writer(a, b, size)
        case Meaning.UUID:
            return uuids.text if size < 0 else uuids.raw
        case Meaning.DATE:
            return instants.date_days
        case Meaning.DURATION:
            return durations.write
    name = meaning.name.lower().replace("_", "-")
    unit = 1000 if name.endswith("millis") else 1
    if name.startswith("time-"):
        return instants.time_writer(name, unit)
    return instants.timestamp_writer(name, unit, is_local=name.startswith("local"))


def sized_writer_of(meaning: Meaning, a: int, b: int) -> Callable[[object], bytes] | None:
    """From a Python value to the length and the bytes of its raw value; None where there is no quicker way than both."""
    match meaning:
        case Meaning.DECIMAL:
            return decimals.sized_writer(a, b)
        case Meaning.UUID:
            return uuids.sized_text
    return None


def reader_of(
    meaning: Meaning, a: int, b: int, *, size: int = -1, make: Callable[[int, int, int], object] = durations.as_tuple
) -> Callable[[Any], Any]:
    """From a raw value (text as UTF-8 bytes) to the Python value; raises ``ValueError`` with the reason.

    ``make`` builds a duration.
    """
    match meaning:
        case Meaning.DECIMAL:
            return decimals.reader(a, b)
        case Meaning.UUID:
            return uuids.from_text if size < 0 else uuids.from_raw
        case Meaning.DATE:
            return instants.date_value
        case Meaning.DURATION:
            return durations.reader(make)
    name = meaning.name.lower().replace("_", "-")
    unit = 1000 if name.endswith("millis") else 1
    if name.startswith("time-"):
        return instants.time_reader(unit)
    return instants.timestamp_reader(unit, is_local=name.startswith("local"))
