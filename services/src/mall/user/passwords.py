"""Passwords at rest: scrypt (RFC 7914) from the standard library, parameters beside each hash so that they can grow.

Law 1: a name that nobody has costs as much as one that somebody has: its password is tried against `nobody`.
Law 2: hashing never holds a transaction, runs beside the event loop, and takes bounded memory: two at once, sixteen wait.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import unicodedata
from collections.abc import Callable
from typing import NamedTuple

from mall.errors import TooManyRequests

SALT_BYTES, KEY_BYTES = 16, 32
MEMORY_BYTES = 67_108_864
AT_ONCE, WAITING = 2, 16


class Cost(NamedTuple):
    """scrypt's parameters; `n` times `r` times 128 bytes of memory."""

    n: int
    r: int
    p: int


COST = Cost(2**14, 8, 5)
"""16 MiB. Source: OWASP Password Storage Cheat Sheet."""


class Passwords:
    """Hashes and checks passwords; `random` gives that many random bytes."""

    def __init__(self, *, random: Callable[[int], bytes], cost: Cost = COST) -> None:
        self._random, self._cost = random, cost
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._queued = 0
        self.nobody = _stored(cost, salt=bytes(SALT_BYTES), key=bytes(KEY_BYTES))

    async def hashed(self, password: str) -> str:
        """`scrypt$N$r$p$salt$key` of a password; raises TooManyRequests when too many wait."""
        salt = self._random(SALT_BYTES)
        return _stored(self._cost, salt=salt, key=await self._in_turn(password, salt, self._cost))

    async def fits(self, password: str, stored: str) -> bool:
        """Whether the stored hash is this password's; as slow for a wrong one. A hash that cannot be read is nobody's."""
        try:
            kind, n, r, p, salt, key = stored.split("$")
            cost, raw_salt, raw_key = Cost(int(n), int(r), int(p)), base64.b64decode(salt), base64.b64decode(key)
        except ValueError:
            return False
        found = await self._in_turn(password, raw_salt, cost)
        return kind == "scrypt" and hmac.compare_digest(found, raw_key)

    async def _in_turn(self, password: str, salt: bytes, cost: Cost) -> bytes:
        if self._queued >= AT_ONCE + WAITING:
            raise TooManyRequests("Too many people sign in at this moment.")
        self._queued += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(_key, password, salt, cost)
        finally:
            self._queued -= 1


def _key(password: str, salt: bytes, cost: Cost) -> bytes:
    # One password may be typed as different code points; NFKC makes them one. Source: NIST SP 800-63B, section 5.1.1.2.
    text = unicodedata.normalize("NFKC", password).encode()
    return hashlib.scrypt(text, salt=salt, n=cost.n, r=cost.r, p=cost.p, maxmem=MEMORY_BYTES, dklen=KEY_BYTES)


def _stored(cost: Cost, *, salt: bytes, key: bytes) -> str:
    parts = (base64.b64encode(raw).decode("ascii") for raw in (salt, key))
    return "$".join(("scrypt", *map(str, cost), *parts))
