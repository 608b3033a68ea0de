"""Durations: months, days and milliseconds, three unsigned numbers of 32 bits, little-endian.

Source: Apache Avro 1.12 specification, "Duration".
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

_PARTS: Final = ("months", "days", "milliseconds")
_LAYOUT: Final = struct.Struct("<III")


def write(value: object) -> bytes:
    """Twelve bytes of a value with the three attributes, or of a plain tuple of three."""
    if isinstance(value, tuple) and len(value) == len(_PARTS):
        parts = value
    elif all(hasattr(value, part) for part in _PARTS):
        parts = tuple(getattr(value, part) for part in _PARTS)
    else:
        raise TypeError(f"expected months, days and milliseconds, got {type(value).__name__}")
    for name, number in zip(_PARTS, parts, strict=True):
        if not isinstance(number, int) or isinstance(number, bool):
            raise TypeError(f"{name} is not an int")
        if not 0 <= number < 2**32:
            raise ValueError(f"{name} is not within 0 and 2**32 - 1")
    return _LAYOUT.pack(*parts)


def reader(make: Callable[[int, int, int], object]) -> Callable[[bytes], object]:
    """From twelve bytes to ``make(months, days, milliseconds)``."""
    unpack = _LAYOUT.unpack

    def read(data: bytes) -> object:
        return make(*unpack(data))

    return read


def as_tuple(months: int, days: int, milliseconds: int) -> tuple[int, int, int]:
    """What a duration is where no class stands for it."""
    return months, days, milliseconds
