"""Who is asking: Basic, a static token or a JWT, from the one header ``Authorization``.

Laws: a wrong name and a wrong password take the same way and the same time. Verifying a password is dear on purpose, so a
pair that was verified is remembered for a minute (as an HMAC under a key that only this process has), and only few are
verified at once: who does not know a password cannot use up the processor. What is remembered ends when the directory
changes, so a removed user is out within ``DIRECTORY_SECONDS``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from treaty.registry.access.directory import Directory
from treaty.registry.access.grants import ANYONE, Principal, granted
from treaty.registry.access.passwords import NOBODY, is_password
from treaty.registry.access.tokens import PREFIX, id_of, sha256_of
from treaty.registry.cache import Lru
from treaty.registry.errors import TooManyRequests, Unauthorized
from treaty.registry.guard.jwks import BadToken, JwtTokens
from treaty.registry.stores.protocol import Store

DIRECTORY_SECONDS: Final = 1.0
REMEMBERED_SECONDS: Final = 60.0
REMEMBERED: Final = 10_000
HASHES_AT_ONCE: Final = 2
HASHES_WAITING: Final = 16
LONGEST_HEADER: Final = 8_192
TOKEN_USER: Final = "token"  # noqa: S105  # the name that says: the password is a token
JWT: Final = "jwt:"
"""How the names of principals begin that an issuer vouches for, so that none is taken for one of ours."""


@dataclass(frozen=True, slots=True)
class Proved:
    """Somebody whose credentials were right, and until when (monotonic seconds) that is remembered."""

    principal: Principal
    until: float


class Authentication:
    """Answers who sends a header. ``now``: aware time; ``random``: that many random bytes. Thread-safe."""

    def __init__(
        self,
        store: Store,
        *,
        jwt_tokens: JwtTokens | None,
        required: bool,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        random: Callable[[int], bytes],
    ) -> None:
        self._store, self._jwt, self._now, self._monotonic = store, jwt_tokens, now, monotonic
        self._required = required or jwt_tokens is not None
        self._key = random(32)
        self._directory: Directory | None = None
        self._looked_at = float("-inf")
        self._remembered: Lru[bytes, Proved] = Lru(REMEMBERED)
        self._looking = threading.Lock()
        self._hashing = threading.BoundedSemaphore(HASHES_AT_ONCE)
        self._queue = threading.BoundedSemaphore(HASHES_AT_ONCE + HASHES_WAITING)

    def remembered(self, authorization: bytes) -> Principal | None:
        """The principal, if nothing has to be asked to know it; never blocks."""
        if self._monotonic() - self._looked_at > DIRECTORY_SECONDS:
            return None
        if not self._required:
            return ANYONE
        proved = self._remembered.get(self._digest(authorization)) if authorization else None
        return proved.principal if proved is not None and proved.until > self._monotonic() else None

    def principal(self, authorization: bytes) -> Principal:
        """The principal; blocks. Raises ``Unauthorized``, ``TooManyRequests``, ``StoreUnavailable``."""
        directory = self._looked()
        if not self._required:
            return ANYONE
        if not authorization or len(authorization) > LONGEST_HEADER:
            raise Unauthorized
        known = self.remembered(authorization)
        if known is not None:
            return known
        proved = self._proved(authorization.decode("latin-1"), directory)
        # What was removed meanwhile is not remembered: the next question asks the new directory.
        if directory is self._directory:
            self._remembered.put(self._digest(authorization), proved)
        return proved.principal

    def _looked(self) -> Directory:
        with self._looking:
            asked_at = self._monotonic()
            if self._directory is not None and asked_at - self._looked_at <= DIRECTORY_SECONDS:
                return self._directory
            directory = self._store.directory(self._directory)
            if directory is not self._directory:
                self._directory = directory
                self._remembered.clear()
            # Never back, and for every process: whoever removes the last user must not open the registry to everybody.
            self._required = self._required or directory.was_ever_changed
            self._looked_at = asked_at
            return directory

    def _proved(self, header: str, directory: Directory) -> Proved:
        scheme, _, credentials = header.partition(" ")
        credentials = credentials.strip()
        if scheme.lower() == "basic":
            return self._basic(credentials, directory)
        if scheme.lower() != "bearer":
            raise Unauthorized
        if credentials.startswith(PREFIX) or self._jwt is None:
            return self._token(credentials, directory)
        return self._jwt_principal(self._jwt, credentials, directory)

    def _basic(self, credentials: str, directory: Directory) -> Proved:
        try:
            name, colon, password = base64.b64decode(credentials, validate=True).decode("utf-8").partition(":")
        except ValueError as error:
            raise Unauthorized from error
        if not colon:
            raise Unauthorized
        if name == TOKEN_USER:
            return self._token(password, directory)
        stored = directory.passwords.get(name)
        # The hash is asked first, whoever it is: the time says nothing about which names exist.
        if not self._is_password(password, stored or NOBODY) or stored is None:
            raise Unauthorized
        return self._until(granted(directory.grants, name=name))

    def _is_password(self, password: str, stored: str) -> bool:
        if not self._queue.acquire(blocking=False):
            raise TooManyRequests
        try:
            with self._hashing:
                return is_password(password, stored)
        finally:
            self._queue.release()

    def _token(self, text: str, directory: Directory) -> Proved:
        token_id = id_of(text)
        row = None if token_id is None else directory.tokens.get(token_id)
        if row is None or not hmac.compare_digest(row.sha256, sha256_of(text)):
            raise Unauthorized
        left = None if row.expires_at is None else (row.expires_at - self._now()).total_seconds()
        if left is not None and left <= 0:
            raise Unauthorized
        return self._until(granted(directory.grants, name=row.principal), left)

    def _jwt_principal(self, tokens: JwtTokens, text: str, directory: Directory) -> Proved:
        try:
            claims = tokens.claims(text)
        except BadToken as error:
            raise Unauthorized from error
        principal = granted(directory.grants, name=f"{JWT}{claims.subject}", groups=claims.groups)
        return self._until(principal, claims.expires_at - self._now().timestamp())

    def _until(self, principal: Principal, left: float | None = None) -> Proved:
        kept = REMEMBERED_SECONDS if left is None else max(0.0, min(left, REMEMBERED_SECONDS))
        return Proved(principal, self._monotonic() + kept)

    def _digest(self, authorization: bytes) -> bytes:
        return hmac.digest(self._key, authorization, hashlib.sha256)
