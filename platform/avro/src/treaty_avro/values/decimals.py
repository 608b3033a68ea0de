"""Decimals as Avro keeps them: an unscaled integer in two's complement; the scale stands in the schema.

Law: exact or refused. Nothing here looks at the thread's decimal context, which keeps 28 digits and rounds the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from typing import Final

from treaty_avro.values.wire import LONG_MAX, long_bytes

MAX_PRECISION: Final = 10_000
"""Digits up to which decimals are compiled; beyond, one value would cost more than a message may."""

_EXACT: Final = Context(prec=MAX_PREC, Emin=MIN_EMIN, Emax=MAX_EMAX)
shifted: Final = _EXACT.scaleb
"""A number, and by how many digits it is shifted: exactly, whatever the thread's context is."""


def byte_length(precision: int) -> int:
    """Bytes that hold every number of so many digits, with its sign."""
    top: int = 10**precision
    return top.bit_length() // 8 + 1


def sure_length(precision: int) -> int:
    """Bytes whose numbers never have more digits."""
    top: int = 10**precision
    return (top.bit_length() - 1) // 8


def unscaled(value: object, precision: int, scale: int) -> int:
    """The integer ``value * 10**scale``; raises unless ``value`` is a finite ``Decimal`` that precision and scale hold."""
    if not isinstance(value, Decimal):
        raise TypeError(f"expected a Decimal, got {type(value).__name__}")
    if not value.is_finite():
        raise ValueError("is not a finite number")
    if not value:
        return 0
    moved = shifted(value, scale)
    # Before the integer is built: 1E+999999 is a short text and a long number.
    if moved.adjusted() >= precision:
        raise ValueError(f"has more than {precision} digits with the {scale} decimals that the schema keeps")
    number = int(moved)
    if number != moved:
        raise ValueError(f"has {_decimals(value)} decimals, the schema keeps {scale}")
    return number


def _decimals(value: Decimal) -> int:
    exponent = _EXACT.normalize(value).as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def writer(precision: int, scale: int, size: int) -> Callable[[object], bytes]:
    """From ``Decimal`` to the bytes of its number: as few as hold it, or ``size`` of them where that is not -1."""
    exactly = _unscaler(precision, scale)

    def write(value: object) -> bytes:
        number = exactly(value)
        return number.to_bytes(_length(number) if size < 0 else size, "big", signed=True)

    return write


def sized_writer(precision: int, scale: int) -> Callable[[object], bytes]:
    """From ``Decimal`` to Avro's length of the bytes of its number, and the bytes: as few as hold it."""
    exactly = _unscaler(precision, scale)
    heads = [size * 2 << 8 * size for size in range(1, 9)]

    def write(value: object) -> bytes:
        number = exactly(value)
        if 0 <= number < LONG_MAX:
            # The length is the number's highest byte, so that both are written at once.
            rest = number.bit_length() >> 3
            return (number + heads[rest]).to_bytes(rest + 2, "big")
        size = _length(number)
        return long_bytes(size) + number.to_bytes(size, "big", signed=True)

    return write


def _length(number: int) -> int:
    return (number if number >= 0 else ~number).bit_length() // 8 + 1


def _unscaler(precision: int, scale: int) -> Callable[[object], int]:
    unit = Decimal((0, (1,), -scale))
    shift = Decimal(scale)
    scaleb, whole, is_like = _EXACT.scaleb, Decimal.__trunc__, Decimal.same_quantum
    top: int = 10**precision

    def exactly(value: object) -> int:
        # A finite number with as many decimals as the schema keeps is shifted without a rest, into no more digits
        # than it has; all others are looked at in full.
        if type(value) is Decimal and is_like(value, unit):
            number = whole(scaleb(value, shift))
            if -top < number < top:
                return number
        return unscaled(value, precision, scale)

    return exactly


def reader(precision: int, scale: int) -> Callable[[bytes], Decimal]:
    """From the bytes of a number to the ``Decimal`` of that scale; ``ValueError`` for no bytes or too many digits."""
    longest = byte_length(precision)
    top = 10**precision
    sure = sure_length(precision)
    shift = Decimal(-scale)
    scaleb, from_bytes = _EXACT.scaleb, int.from_bytes

    def read(data: bytes) -> Decimal:
        if 0 < len(data) <= sure:
            return scaleb(from_bytes(data, "big", signed=True), shift)
        if not data:
            raise ValueError("a decimal of no bytes")
        if len(data) > longest:
            data = _unpadded(data)
            if len(data) - 1 > longest:
                raise ValueError(f"has more than {precision} digits")
        number = from_bytes(data, "big", signed=True)
        if not -top < number < top:
            raise ValueError(f"has more than {precision} digits")
        return scaleb(Decimal(number), shift)

    return read


def _unpadded(data: bytes) -> bytes:
    # Some writers pad to a fixed width. One sign byte is kept, for the next one may look like the other sign.
    sign = b"\xff" if data[0] & 128 else b"\x00"
    return sign + data.lstrip(sign)


def rescaled(value: Decimal, precision: int, scale: int) -> Decimal:
    """The same number with another scale; ``ValueError`` if that is inexact or longer than ``precision`` digits."""
    return _EXACT.scaleb(Decimal(unscaled(value, precision, scale)), -scale)
