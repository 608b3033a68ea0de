"""JSON Web Tokens, checked with the keys that one configured address publishes (RFC 7515 to 7519, 8037, 8725).

Laws: the token chooses neither algorithm nor key: an algorithm counts only with a key of its own kind, so that no public key
is ever taken for a shared secret, and ``none`` does not exist. Keys come from the configured address alone, whatever the
token's header says. An unknown key id has the keys read anew, at most once in thirty seconds, so that nobody can make us ask.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import jwt

from treaty.registry.access.issuer import Issuer

ALGORITHMS: Final[Mapping[str, str]] = {"RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}
"""Algorithm to the kind of key that it takes."""

KEPT_SECONDS: Final = 600.0
ASKED_AGAIN_SECONDS: Final = 30.0
TIMEOUT_SECONDS: Final = 5.0
LARGEST_BYTES: Final = 262_144
LEEWAY_SECONDS: Final = 30


class BadToken(Exception):
    """The token is not valid here."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Whom a token speaks for, and until when (seconds since 1970)."""

    subject: str
    groups: frozenset[str]
    expires_at: float


class Keys:
    """The keys of an issuer, read when they are needed and kept. Thread-safe; blocks."""

    def __init__(self, read: Callable[[], bytes], *, monotonic: Callable[[], float]) -> None:
        self._read, self._monotonic = read, monotonic
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._read_at = float("-inf")
        self._lock = threading.Lock()

    def key(self, key_id: str) -> jwt.PyJWK:
        """The key of that id; raises ``BadToken`` if the issuer has none."""
        with self._lock:
            age = self._monotonic() - self._read_at
            if age > KEPT_SECONDS or (key_id not in self._keys and age > ASKED_AGAIN_SECONDS):
                self._renew()
            if key_id not in self._keys:
                raise BadToken
            return self._keys[key_id]

    def _renew(self) -> None:
        # The time counts also when reading fails: an issuer that is away is not asked by every request.
        self._read_at = self._monotonic()
        try:
            self._keys = keys_in(self._read())
        except (OSError, ValueError, httpx.HTTPError, jwt.PyJWTError):
            # The keys of before stay: an issuer's outage must not lock everybody out. They are few minutes old at most.
            return


class JwtTokens:
    """Checks tokens of one issuer."""

    def __init__(self, issuer: Issuer, keys: Keys) -> None:
        self._issuer, self._keys = issuer, keys

    def claims(self, token: str) -> Claims:
        """What a valid token says; raises ``BadToken``. Blocks when the keys have to be read."""
        try:
            header = jwt.get_unverified_header(token)
            algorithm, key_id = str(header.get("alg")), header.get("kid")
            if algorithm not in ALGORITHMS or not isinstance(key_id, str) or "crit" in header:
                raise BadToken
            key = self._keys.key(key_id)
            if key.key_type != ALGORITHMS[algorithm]:
                raise BadToken
            claims = jwt.decode(
                token,
                key.key,
                algorithms=[algorithm],
                issuer=self._issuer.issuer,
                audience=self._issuer.audience,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise BadToken from error
        return self._read(claims)

    def _read(self, claims: Mapping[str, Any]) -> Claims:
        groups = claims.get(self._issuer.groups_claim, [])
        if isinstance(groups, str):
            groups = [groups]
        named = (
            frozenset(group for group in groups if isinstance(group, str)) if isinstance(groups, list) else frozenset()
        )
        return Claims(str(claims["sub"]), named, float(claims["exp"]))


def keys_in(document: bytes) -> Mapping[str, jwt.PyJWK]:
    """The signature keys of a JWK set by id; ones of unknown kinds and shared secrets are left out. ``ValueError``."""
    body = json.loads(document)
    listed = body.get("keys") if isinstance(body, dict) else None
    if not isinstance(listed, list):
        raise ValueError("it is no JWK set")  # noqa: TRY004  # what was sent is wrong, not how we are called
    kept = {}
    for item in listed:
        if not isinstance(item, dict) or item.get("kty") not in ALGORITHMS.values() or item.get("use", "sig") != "sig":
            continue
        try:
            key = jwt.PyJWK.from_dict(item)
        except jwt.PyJWTError:
            continue
        if isinstance(item.get("kid"), str):
            kept[item["kid"]] = key
    return kept


def reader_of(jwks: str) -> Callable[[], bytes]:
    """How the set is read: over HTTP without redirects, proxies' variables or endless answers, or from a file."""
    if not jwks.startswith(("https://", "http://")):
        return Path(jwks).read_bytes

    def read() -> bytes:
        body = bytearray()
        # Not the environment's proxies: whoever could set one could give us keys.
        with (
            httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False) as client,
            client.stream("GET", jwks) as answer,
        ):
            if answer.status_code != 200:  # OK, the one status that carries keys
                raise ValueError(f"it answered {answer.status_code}")
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > LARGEST_BYTES:
                    raise ValueError("it is too large")
        return bytes(body)

    return read
