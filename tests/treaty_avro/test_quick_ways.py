"""The quick ways of the Python back end give what the plain ways give."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from decimal import Decimal, localcontext

import pytest

from treaty_avro.values import decimals, uuids
from treaty_avro.values.wire import Refused, instant_bytes, long_bytes, read_instant, read_long

EDGES = sorted({sign * (2**bits + step) for bits in range(63) for step in (-1, 0, 1) for sign in (-1, 1)})
BYTES = (0, 1, 2, 127, 128, 129, 255)


def outcome(read: Callable[[bytes, int], tuple[int, int]], data: bytes) -> object:
    try:
        return read(data, 0)
    except Refused as refused:
        return refused.code, refused.offset, refused.reason


@pytest.mark.parametrize("value", EDGES)
def test_instants_are_written_and_read_as_other_longs(value: int) -> None:
    assert instant_bytes(value) == long_bytes(value)
    assert read_instant(long_bytes(value), 0) == read_long(long_bytes(value), 0) == (value, len(long_bytes(value)))


def test_instants_refuse_what_longs_refuse() -> None:
    rng = random.Random(1)
    for _ in range(20_000):
        data = bytes(rng.choice(BYTES) for _ in range(rng.randrange(13)))
        assert outcome(read_instant, data) == outcome(read_long, data), data


def test_uuids_are_what_their_own_constructor_makes() -> None:
    rng = random.Random(1)
    for _ in range(200):
        number = uuid.UUID(int=rng.getrandbits(128))
        for made in (uuids.from_text(str(number).upper().encode()), uuids.from_raw(number.bytes)):
            assert (type(made), made, made.is_safe) == (uuid.UUID, number, number.is_safe)
            with pytest.raises(TypeError, match="immutable"):
                setattr(made, "int", 1)  # noqa: B010  # its refusal is what is tested
        assert uuids.sized_text(number) == b"H" + str(number).encode()


@pytest.mark.parametrize("place", range(36))
def test_a_uuid_with_any_other_character_anywhere_is_refused(place: int) -> None:
    text = b"01234567-89ab-cdef-0123-456789abcdef"
    for other in (b"g", b"-" if text[place] != ord("-") else b"0", b"_", b" ", b"\xff"):
        with pytest.raises(ValueError, match="8-4-4-4-12"):
            uuids.from_text(text[:place] + other + text[place + 1 :])


def test_decimals_are_written_and_read_exactly_whatever_the_threads_context_is() -> None:
    write, sized, read = decimals.writer(30, 3, -1), decimals.sized_writer(30, 3), decimals.reader(30, 3)
    with localcontext() as context:
        context.prec = 2
        for number in (*EDGES, 10**30 - 1, 1 - 10**30):
            value = Decimal(f"{number}E-3")
            data = write(value)
            assert sized(value) == long_bytes(len(data)) + data
            assert str(read(data)) == str(value)
