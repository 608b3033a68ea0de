"""UUIDs as 36 characters or 16 bytes, without the checks and copies of ``uuid.UUID``'s own constructor."""

from __future__ import annotations

from binascii import hexlify, unhexlify
from typing import Final
from uuid import UUID, SafeUUID

_set_number: Final = UUID.__dict__["int"].__set__
_set_safety: Final = UUID.__dict__["is_safe"].__set__
_UNKNOWN: Final = SafeUUID.unknown
_new: Final = object.__new__


def text(value: object) -> bytes:
    """The 8-4-4-4-12 lower-case digits."""
    if not isinstance(value, UUID):
        raise TypeError(f"expected a UUID, got {type(value).__name__}")
    digits = hexlify(value.int.to_bytes(16, "big"))
    return b"%b-%b-%b-%b-%b" % (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])


def from_text(data: bytes) -> UUID:
    """The UUID of 8-4-4-4-12 hexadecimal digits in either case; ``ValueError`` for any other text."""
    if len(data) != 36 or data[8:24:5] != b"----":
        raise ValueError("is not a UUID of 8-4-4-4-12 hexadecimal digits")
    # unhexlify is strict, where int(text, 16) would take underscores, signs and blanks.
    try:
        number = unhexlify(data.replace(b"-", b""))
    except ValueError:
        number = b""
    if len(number) != 16:
        raise ValueError("is not a UUID of 8-4-4-4-12 hexadecimal digits")
    # As from_raw does; one call less for each id of each event.
    result = _new(UUID)
    _set_number(result, int.from_bytes(number, "big"))
    _set_safety(result, _UNKNOWN)
    return result


def raw(value: object) -> bytes:
    """The 16 bytes."""
    if not isinstance(value, UUID):
        raise TypeError(f"expected a UUID, got {type(value).__name__}")
    return value.bytes


def from_raw(data: bytes) -> UUID:
    """The UUID of 16 bytes; ``ValueError`` for any other number of them."""
    if len(data) != 16:
        raise ValueError("is not a UUID of 8-4-4-4-12 hexadecimal digits")
    result = _new(UUID)
    _set_number(result, int.from_bytes(data, "big"))
    _set_safety(result, _UNKNOWN)
    return result
