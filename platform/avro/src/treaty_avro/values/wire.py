"""Avro's binary numbers and lengths, each read so strictly that two encodings of one value cannot both pass.

Laws: a read never looks past the data, and what is wrong is told by a code.
Source: Apache Avro 1.12 specification, "Binary Encoding".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from treaty_avro.errors import DecodeCode

INT_MIN: Final = -(2**31)
INT_MAX: Final = 2**31 - 1
LONG_MIN: Final = -(2**63)
LONG_MAX: Final = 2**63 - 1

_FLOAT: Final = struct.Struct("<f")
pack_float: Final = _FLOAT.pack
pack_double: Final = struct.Struct("<d").pack
unpack_float: Final = _FLOAT.unpack_from
unpack_double: Final = struct.Struct("<d").unpack_from
_six_bytes: Final = struct.Struct("6B").unpack_from


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one message may hold: records open at once, values built, items that take no bytes."""

    max_depth: int = 100
    max_values: int = 1_000_000
    max_zero_width: int = 65_536


LIMITS: Final = Limits()


class Refused(Exception):
    """Data is not what the schema says."""

    def __init__(self, code: DecodeCode, offset: int, reason: str) -> None:
        """``offset`` counts bytes from the start of the input."""
        super().__init__(code, offset, reason)
        self.code = code
        self.offset = offset
        self.reason = reason


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _pairs(high: range) -> tuple[bytes, ...]:
    """Two bytes for each of 14 bits: the lower seven, marked that more follows, and what ``high`` makes of the upper seven.

    Cut out of one stretch of bytes: made one by one they would take a tenth of what a command takes to start.
    """
    stretch = bytearray(2 * 16384)
    stretch[::2] = bytes(range(128, 256)) * 128
    stretch[1::2] = b"".join(bytes((upper,)) * 128 for upper in high)
    return struct.unpack("2s" * 16384, stretch)


LAST: Final[tuple[bytes, ...]] = (*struct.unpack("1s" * 128, bytes(range(128))), *_pairs(range(128))[128:])
"""The last one or two bytes of a number: 14 bits, nothing after them."""

SMALL: Final = LAST[::2]
"""The encodings of 0…8191: most numbers, lengths and counts there are."""

_PAIR: Final = _pairs(range(128, 256))

FIRST: Final = _PAIR[::2]
"""The first two bytes of a number that is not negative and has more: its lowest 13 bits, and the 0 that is its sign."""


def long_bytes(value: int) -> bytes:
    """Zig-zag varint of a number within 64 bits; two bytes a step, from tables."""
    z = (value << 1) ^ (value >> 63)
    if z < 16384:
        return LAST[z]
    if z < 268435456:
        return _PAIR[z & 16383] + LAST[z >> 14]
    if z < 4398046511104:
        return _PAIR[z & 16383] + _PAIR[z >> 14 & 16383] + LAST[z >> 28]
    if z < 72057594037927936:
        return _PAIR[z & 16383] + _PAIR[z >> 14 & 16383] + _PAIR[z >> 28 & 16383] + LAST[z >> 42]
    return _varint(z)


def instant_bytes(value: int) -> bytes:
    """As ``long_bytes``; for milliseconds of our days, which take six bytes, the tables are looked at at once."""
    if 134217728 <= value < 2199023255552:
        return FIRST[value & 8191] + _PAIR[value >> 13 & 16383] + LAST[value >> 27]
    return long_bytes(value)


def checked_int(value: object) -> bytes:
    """Encoding of an ``int`` (no bool) within 32 bits; ``ValueError`` otherwise."""
    return _checked(value, INT_MIN, INT_MAX, "an int of 32 bits")


def checked_long(value: object) -> bytes:
    """Encoding of an ``int`` (no bool) within 64 bits; ``ValueError`` otherwise."""
    return _checked(value, LONG_MIN, LONG_MAX, "a long of 64 bits")


def _checked(value: object, low: int, high: int, wanted: str) -> bytes:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("is not an int")
    if not low <= value <= high:
        raise ValueError(f"does not fit {wanted}")
    return long_bytes(value)


def float_number(value: object) -> float:
    """A ``float``, or an ``int`` that a double holds exactly, as a float; ``ValueError`` otherwise."""
    if isinstance(value, float):
        return value
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("is not a float")
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if number != value:
        raise ValueError("is an int that no double holds exactly")
    return number


def float_bytes(value: object) -> bytes:
    """Four bytes of a float, rounded to float32; an int must be exact; a finite number beyond float32 is refused."""
    number = float_number(value)
    try:
        packed = _FLOAT.pack(number)
    except OverflowError:
        raise ValueError("is beyond the range of a float of 32 bits") from None
    if isinstance(value, int) and _FLOAT.unpack(packed)[0] != value:
        raise ValueError("is an int that no float of 32 bits holds exactly")
    return packed


def is_exact_float(value: float) -> bool:
    """Whether a float32 holds the number exactly; infinities and NaN count as exact."""
    try:
        held = _FLOAT.unpack(_FLOAT.pack(value))[0]
    except OverflowError:
        return False
    return bool(held == value or value != value)  # noqa: PLR0124  # NaN alone differs from itself


def double_bytes(value: object) -> bytes:
    """Eight bytes of a float, or of an int that a double holds exactly."""
    return pack_double(float_number(value))


def nearest_float(value: int) -> float:
    """The float32 nearest to a long, rounded once (through a double it would be rounded twice)."""
    size = abs(value)
    shift = max(size.bit_length() - 50, 0)
    # Sticky bit: whatever was cut off still decides ties.
    kept = size >> shift | (size & ((1 << shift) - 1) != 0)
    rounded: float = _FLOAT.unpack(_FLOAT.pack(float(kept << shift)))[0]
    return -rounded if value < 0 else rounded


def read_long(data: bytes, at: int) -> tuple[int, int]:
    """The number at ``at`` and the place after it; ``Refused`` if cut off, padded, or above 64 bits."""
    try:
        z = data[at]
        if z < 128:
            return (z >> 1) ^ -(z & 1), at + 1
        last = data[at + 1]
        z += last * 128 - 128
        if last < 128:
            after = at + 2
        else:
            last = data[at + 2]
            z += last * 16_384 - 16_384
            if last < 128:
                after = at + 3
            else:
                last = data[at + 3]
                z += last * 2_097_152 - 2_097_152
                if last < 128:
                    after = at + 4
                else:
                    z, last, after = _read_rest(data, at + 4, z - 268_435_456)
    except IndexError:
        raise Refused("truncated", len(data), "the data ends inside a number") from None
    if last == 0:
        raise Refused("varint", at, "a number is padded or longer than 64 bits")
    return (z >> 1) ^ -(z & 1), after


def _read_rest(data: bytes, at: int, low: int) -> tuple[int, int, int]:
    """A number's bytes from the fifth on: the number, its last byte (0: padded, or above 64 bits), the place after it.

    Up to the tenth byte they are added apart from the four ``low`` ones: sums of 30 bits are quick in CPython.
    """
    last = high = data[at]
    if last < 128:
        return low + (high << 28), last, at + 1
    last = data[at + 1]
    high += last * 128 - 128
    weight = 16_384
    for place in range(at + 2, at + 7):
        if last < 128:
            # Of the tenth byte one bit is left.
            return low + (high << 28), 0 if last > 1 and place == at + 6 else last, place
        last = data[place]
        high += (last - 1) * weight
        weight <<= 7
    return 0, 0, at


def read_instant(data: bytes, at: int) -> tuple[int, int]:
    """As ``read_long``; milliseconds of our days, which take six bytes, are read at once."""
    try:
        a, b, c, d, e, last = _six_bytes(data, at)
    except struct.error:
        return read_long(data, at)
    if a & b & c & d & e & 128 and 0 < last < 128:
        # Minus the five bits that say that more follows.
        z = a + b * 128 + c * 16_384 + d * 2_097_152 + (e + last * 128) * 268_435_456 - 34_630_287_488
        return (~(z >> 1) if a & 1 else z >> 1), at + 6
    return read_long(data, at)


def read_int(data: bytes, at: int) -> tuple[int, int]:
    """The number at ``at`` and the place after it; ``Refused`` as for long, and beyond 5 bytes or 32 bits."""
    value, after = read_long(data, at)
    if after - at > 5:
        raise Refused("varint", at, "an int is longer than 5 bytes")
    if not INT_MIN <= value <= INT_MAX:
        raise Refused("int_range", at, f"{value} does not fit an int of 32 bits")
    return value, after


def read_length(data: bytes, at: int) -> tuple[int, int]:
    """Length of a string or bytes, and the place after it; ``Refused`` if negative or more than is left."""
    length, after = read_long(data, at)
    if length < 0 or length > len(data) - after:
        raise Refused("length", at, f"length {length}, {len(data) - after} bytes are left")
    return length, after


def read_index(data: bytes, at: int) -> tuple[int, int]:
    """Index of a branch or symbol, and the place after it; ``Refused`` if negative. The caller knows how many there are."""
    index, after = read_long(data, at)
    if index < 0:
        raise Refused("index", at, f"index {index}")
    return index, after


def read_block(data: bytes, at: int) -> tuple[int, int, int]:
    """A block's count, the place after its head, and its end where the writer says it (else -1)."""
    count, after = read_long(data, at)
    if count >= 0:
        return count, after, -1
    size, after = read_long(data, after)
    if not 0 <= size <= len(data) - after:
        raise Refused("block_size", at, f"a block of {size} bytes, {len(data) - after} are left")
    return -count, after, after + size


def as_bytes(data: object) -> bytes:
    """One copy of anything with the buffer protocol; ``Refused("input")`` for the rest."""
    try:
        return memoryview(data).tobytes()  # type: ignore[arg-type]  # that is what is being found out
    except (TypeError, BufferError):
        raise Refused("input", 0, f"expected bytes, got {type(data).__name__}") from None
