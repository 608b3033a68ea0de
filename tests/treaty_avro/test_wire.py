"""Numbers on the wire, each against the specification's arithmetic written out slowly."""

from __future__ import annotations

import itertools
import math
import random
import struct
from fractions import Fraction

import pytest

from treaty_avro.values import wire
from treaty_avro.values.wire import Refused

BOUNDARIES = sorted({sign * (2**bits + step) for bits in range(63) for step in (-1, 0, 1) for sign in (-1, 1)})
LONGS = [-(2**63), *BOUNDARIES, 2**63 - 1]


def slowly(number: int) -> bytes:
    """Seven bits a byte, the lowest first, of a number that is not negative."""
    groups = [number >> shift & 127 for shift in range(0, max(number.bit_length(), 1), 7)]
    return bytes([group | 128 for group in groups[:-1]] + groups[-1:])


def zigzag(value: int) -> int:
    return 2 * value if value >= 0 else -2 * value - 1


@pytest.mark.parametrize("value", LONGS)
def test_a_long_is_its_zigzag_in_groups_of_seven_bits(value: int) -> None:
    data = slowly(zigzag(value))
    assert wire.long_bytes(value) == wire.checked_long(value) == data
    assert wire.read_long(b"?" + data + b"!", 1) == (value, 1 + len(data))


def test_the_tables_hold_what_is_looked_up_and_no_more() -> None:
    assert tuple(map(slowly, range(0, 16384, 2))) == wire.SMALL
    assert tuple(map(slowly, range(16384))) == wire.LAST
    assert tuple(slowly(number | 1 << 14)[:2] for number in range(0, 16384, 2)) == wire.FIRST
    assert all(
        wire.long_bytes(number << 14 | 1 << 40)[2:4] == slowly(2 * number | 1 << 14)[:2] for number in range(8192)
    )


def test_the_limits_are_those_of_the_page() -> None:
    assert wire.Limits(max_depth=100, max_values=1_000_000, max_zero_width=65_536) == wire.LIMITS
    assert (wire.INT_MIN, wire.INT_MAX) == (-(2**31), 2**31 - 1)
    assert (wire.LONG_MIN, wire.LONG_MAX) == (-(2**63), 2**63 - 1)


@pytest.mark.parametrize(("write", "bits"), [(wire.checked_int, 31), (wire.checked_long, 63)])
def test_a_number_beyond_its_type_is_refused(write: object, bits: int) -> None:
    assert callable(write)
    for end in (-(2**bits), 2**bits - 1):
        assert write(end) == slowly(zigzag(end))
    for beyond in (-(2**bits) - 1, 2**bits):
        with pytest.raises(ValueError, match="does not fit"):
            write(beyond)
    for other in (True, 1.0, "1", None):
        with pytest.raises(TypeError, match="not an int"):
            write(other)


@pytest.mark.parametrize("length", range(12))
def test_a_number_without_an_end_is_cut_off_or_too_long(length: int) -> None:
    with pytest.raises(Refused) as caught:
        wire.read_long(b"\x80" * length, 0)
    assert (caught.value.code, caught.value.offset) == (("truncated", length) if length < 11 else ("varint", 0))


@pytest.mark.parametrize("length", range(2, 12))
def test_a_padded_number_is_refused(length: int) -> None:
    with pytest.raises(Refused) as caught:
        wire.read_long(b"\x80" * (length - 1) + b"\x00" + b"more, so that it is not cut off", 0)
    assert (caught.value.code, caught.value.offset) == ("varint", 0)


def test_of_a_tenth_byte_one_bit_is_left() -> None:
    assert wire.read_long(b"\xff" * 9 + b"\x01", 0) == (-(2**63), 10)
    for last in (2, 3, 127):
        with pytest.raises(Refused) as caught:
            wire.read_long(b"\xff" * 9 + bytes([last]), 0)
        assert caught.value.code == "varint"


def test_a_block_says_how_many_it_holds_and_maybe_where_it_ends() -> None:
    assert wire.read_block(b"?" + slowly(zigzag(3)) + b"ab", 1) == (3, 2, -1)
    for size, is_right in {-1: False, 0: True, 2: True, 3: False, 4: False, 200: False}.items():
        data = b"?" + slowly(zigzag(-3)) + slowly(zigzag(size)) + b"ab"
        if is_right:
            after = len(data) - 2
            assert wire.read_block(data, 1) == (3, after, after + size)
            continue
        with pytest.raises(Refused) as caught:
            wire.read_block(data, 1)
        assert (caught.value.code, caught.value.offset) == ("block_size", 1)
        assert caught.value.reason == f"a block of {size} bytes, 2 are left"


def test_a_length_is_at_most_what_is_left() -> None:
    assert wire.read_length(b"?" + slowly(zigzag(2)) + b"ab", 1) == (2, 2)
    for length in (-1, 3, 4, 2**40):
        with pytest.raises(Refused) as caught:
            wire.read_length(b"?" + slowly(zigzag(length)) + b"ab", 1)
        assert (caught.value.code, caught.value.offset) == ("length", 1)
        assert caught.value.reason == f"length {length}, 2 bytes are left"


def test_what_is_no_buffer_is_refused_at_its_begin() -> None:
    with pytest.raises(Refused) as caught:
        wire.as_bytes("text")
    assert (caught.value.code, caught.value.offset, caught.value.reason) == ("input", 0, "expected bytes, got str")


@pytest.mark.parametrize(
    ("value", "is_exact"),
    [(0.5, True), (0.1, False), (1e300, False), (-1e300, False), (math.inf, True), (-math.inf, True), (math.nan, True)],
)
def test_a_double_is_an_exact_float_or_not(value: float, is_exact: bool) -> None:
    assert wire.is_exact_float(value) is is_exact


def nearest(value: int) -> float:
    """Of the floats around a long the nearest, the even one of two that are as near."""
    if value == 0:
        return 0.0
    unit = max(abs(value).bit_length() - 24, 0)
    below = abs(value) >> unit << unit
    above = below + (1 << unit)
    near = min((below, above), key=lambda each: (abs(Fraction(each) - abs(value)), each >> unit & 1))
    return math.copysign(float(near), value)


def longs_near_ties() -> list[int]:
    """Longs whose rest beyond 24 bits is none, a half, or one bit more or less than either, at every length."""
    rng = random.Random(5)
    tops = [1 << 23, (1 << 23) + 1, (1 << 24) - 1, *(rng.getrandbits(23) | 1 << 23 for _ in range(3))]
    found = set()
    for top, unit in itertools.product(tops, range(40)):
        half = 1 << unit >> 1
        steps = {0, *(1 << bit for bit in range(unit))}
        rests = {base + sign * step for base in (0, half) for step in steps for sign in (-1, 1)}
        # Two bits beyond the half: one that a double keeps, one that it does not.
        rests |= {half | 1 << bit | other for bit in range(unit - 1) for other in (0, 1)}
        found |= {(top << unit) + rest for rest in rests}
    return sorted(value for value in found if 0 <= value < 2**63)


def test_a_long_becomes_the_nearest_float_and_of_two_the_even_one() -> None:
    for value in [*longs_near_ties(), *(abs(value) for value in LONGS)]:
        for signed in (value, -value):
            made = wire.nearest_float(signed)
            assert (made, struct.unpack("<f", struct.pack("<f", made))[0]) == (nearest(signed), made), signed
    assert str(wire.nearest_float(0)) == "0.0"
