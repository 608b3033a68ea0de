"""UUIDs as 36 characters or 16 bytes, without the checks and copies of ``uuid.UUID``'s own constructor."""

from __future__ import annotations

from binascii import hexlify, unhexlify
from typing import Any, Final
from uuid import UUID, SafeUUID

_UNKNOWN: Final = SafeUUID.unknown
_BAD: Final = "is not a UUID of 8-4-4-4-12 hexadecimal digits"

# `bytes.translate` as a permutation: each byte of the pattern is the place, in the table of 256, of the byte to put there.
PATTERN: Final = bytes((33, *range(8), 32, *range(8, 12), 32, *range(12, 16), 32, *range(16, 20), 32, *range(20, 32)))
"""From a table of 32 digits and ``REST`` to an ``H``, which is Avro's length 36, and the 36 characters."""
REST: Final = b"-H" + bytes(222)
_DIGITS: Final = bytes((*range(8), *range(9, 13), *range(14, 18), *range(19, 23), *range(24, 36)))
_PADDING: Final = bytes(220)


class _Blank(UUID):
    """A UUID that takes plain assignments, which cost less than calls of slots; when it is full, its class is changed."""

    __slots__ = ()
    __init__ = object.__init__
    __setattr__ = object.__setattr__  # type: ignore[assignment]  # UUID's own refuses


def text(value: object) -> bytes:
    """The 8-4-4-4-12 lower-case digits."""
    if not isinstance(value, UUID):
        raise TypeError(f"expected a UUID, got {type(value).__name__}")
    return PATTERN[1:].translate(hexlify(value.int.to_bytes(16, "big")) + REST)


def sized_text(value: object) -> bytes:
    """Avro's length of the digits, and the digits."""
    return b"H" + text(value)


def from_text(data: bytes) -> UUID:
    """The UUID of 8-4-4-4-12 hexadecimal digits in either case; ``ValueError`` for any other text."""
    if len(data) != 36 or data[8:24:5] != b"----":
        raise ValueError(_BAD)
    # unhexlify is strict, where int(text, 16) would take underscores, signs and blanks.
    try:
        number = unhexlify(_DIGITS.translate(data + _PADDING))
    except ValueError:
        raise ValueError(_BAD) from None
    # As from_raw does; one call less for each id of each event.
    result: Any = _Blank()
    result.int = int.from_bytes(number, "big")
    result.is_safe = _UNKNOWN
    result.__class__ = UUID
    return result  # type: ignore[no-any-return]  # its class has just become UUID


def raw(value: object) -> bytes:
    """The 16 bytes."""
    if not isinstance(value, UUID):
        raise TypeError(f"expected a UUID, got {type(value).__name__}")
    return value.bytes


def from_raw(data: bytes) -> UUID:
    """The UUID of 16 bytes; ``ValueError`` for any other number of them."""
    if len(data) != 16:
        raise ValueError(_BAD)
    result: Any = _Blank()
    result.int = int.from_bytes(data, "big")
    result.is_safe = _UNKNOWN
    result.__class__ = UUID
    return result  # type: ignore[no-any-return]  # its class has just become UUID
