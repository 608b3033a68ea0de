"""Who asks: a bearer token (JWT, EdDSA) checked with the public key of the user service."""

from __future__ import annotations

from dataclasses import dataclass

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from mall.errors import Forbidden, Unauthorized

LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A user the token speaks for."""

    user_id: int
    is_admin: bool = False

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

    def __init__(self, public_key_pem: bytes) -> None:
        key = load_pem_public_key(public_key_pem)
        if not isinstance(key, Ed25519PublicKey):
            raise TypeError("MALL_JWT_PUBLIC_KEY_FILE holds no Ed25519 key; `treaty up` makes a pair.")
        self._key = key

    def of(self, authorization: str | None) -> Identity:
        """The identity of an `Authorization` header; raises Unauthorized."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized
        try:
            claims = jwt.decode(token.strip(), self._key, algorithms=["EdDSA"], options={"require": ["sub", "exp"]})
        except jwt.ExpiredSignatureError:
            raise Unauthorized("The token has expired.") from None
        except jwt.InvalidTokenError:
            raise Unauthorized("The token is not valid here.") from None
        subject = str(claims["sub"])
        if not (subject.isascii() and subject.isdigit() and 0 < int(subject) <= LARGEST_ID):
            raise Unauthorized("The token names no user.")
        return Identity(user_id=int(subject), is_admin=claims.get("admin") is True)
