"""Who asks: a bearer token (JWT, EdDSA) checked with the public key of the user service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from mall.errors import Forbidden, Unauthorized
from treaty_runtime.clock import utcnow

LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A user the token speaks for; `session_id` names the sign-in, None in a token that was signed by hand."""

    user_id: int
    is_admin: bool = False
    session_id: UUID | None = None

    @property
    def operator(self) -> str:
        """The value of an event's `operator` for what this user does."""
        return f"{'admin' if self.is_admin else 'user'}:{self.user_id}"

    def require_admin(self) -> None:
        """Raise Forbidden unless the token has the claim `admin`."""
        if not self.is_admin:
            raise Forbidden


class Identities:
    """Checks tokens; one key, one algorithm: a token cannot choose another."""

    def __init__(self, public_key_pem: bytes, *, now: Callable[[], datetime] = utcnow) -> None:
        key = load_pem_public_key(public_key_pem)
        if not isinstance(key, Ed25519PublicKey):
            raise TypeError("MALL_JWT_PUBLIC_KEY_FILE holds no Ed25519 key; `treaty up` makes a pair.")
        self._key, self._now = key, now

    def of(self, authorization: str | None) -> Identity:
        """The identity of an `Authorization` header; raises Unauthorized."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized
        try:
            # The library would ask the system's clock about the end; services have one clock.
            claims = jwt.decode(
                token.strip(),
                self._key,
                algorithms=["EdDSA"],
                options={"require": ["sub", "exp"], "verify_exp": False, "verify_iat": False},
            )
        except (
            jwt.InvalidTokenError,
            UnicodeEncodeError,
        ):  # half a pair of surrogates, which JSON can say and no header
            raise Unauthorized("The token is not valid here.") from None
        if not _is_later(claims["exp"], self._now()):
            raise Unauthorized("The token has expired.")
        subject = str(claims["sub"])
        if not (subject.isascii() and subject.isdigit() and 0 < int(subject) <= LARGEST_ID):
            raise Unauthorized("The token names no user.")
        return Identity(
            user_id=int(subject), is_admin=claims.get("admin") is True, session_id=_session(claims.get("sid"))
        )


def _is_later(end: object, now: datetime) -> bool:
    return isinstance(end, int | float) and not isinstance(end, bool) and end > now.timestamp()


def _session(sid: object) -> UUID | None:
    if sid is None:
        return None
    try:
        return UUID(str(sid))
    except ValueError:
        raise Unauthorized("The token is not valid here.") from None
