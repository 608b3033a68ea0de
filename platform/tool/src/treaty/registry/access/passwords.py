"""Passwords at rest: scrypt (RFC 7914) from the standard library, parameters beside each hash so that they can grow."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Final

# Source: OWASP Password Storage Cheat Sheet, scrypt with 16 MiB: N=2^14, r=8, p=5.
COST: Final = (2**14, 8, 5)
MEMORY_BYTES: Final = 67_108_864
SALT_BYTES: Final = 16
_MOST_CHARACTERS: Final = 1_024


def hashed(password: str, *, random: Callable[[int], bytes]) -> str:
    """``scrypt$N$r$p$salt$key`` of a password; ``random`` gives that many random bytes."""
    salt = random(SALT_BYTES)
    return "$".join(("scrypt", *map(str, COST), _text(salt), _text(_key(password, salt, COST))))


def is_password(password: str, stored: str) -> bool:
    """True if the stored hash is this password's; takes as long for a wrong one. A hash that cannot be read is nobody's."""
    try:
        kind, n, r, p, salt, key = stored.split("$")
        if kind != "scrypt" or len(password) > _MOST_CHARACTERS:
            return False
        found = _key(password, base64.b64decode(salt), (int(n), int(r), int(p)))
        return hmac.compare_digest(found, base64.b64decode(key))
    except ValueError:
        return False


NOBODY: Final = "$".join(
    ("scrypt", *map(str, COST), base64.b64encode(bytes(16)).decode(), base64.b64encode(bytes(32)).decode())
)
"""A hash that no password has: a name that nobody has is asked against it, so that it costs as much as one that somebody has."""


def _key(password: str, salt: bytes, cost: tuple[int, int, int]) -> bytes:
    n, r, p = cost
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"), salt=salt, n=n, r=r, p=p, maxmem=MEMORY_BYTES, dklen=32
    )


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
