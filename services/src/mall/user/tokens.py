"""Tokens: JWT signed with EdDSA (RFC 8037), which every service checks with the public key alone."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from mall.settings import InvalidSettings

TOKEN_FOR = timedelta(hours=1)
"""Other services ask nobody whether a session still lives, so a token outlives it by at most this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a token says."""

    user_id: int
    session_id: UUID
    is_admin: bool
    begins: datetime
    ends: datetime


class Signer:
    """Signs tokens with the private key of the user service."""

    def __init__(self, private_key_pem: bytes, *, public_key_pem: bytes) -> None:
        """Raises InvalidSettings unless the two PEM texts are one Ed25519 pair: nobody would accept what it signs."""
        try:
            key = load_pem_private_key(private_key_pem, password=None)
        except (ValueError, TypeError):
            key = None
        if not isinstance(key, Ed25519PrivateKey):
            raise InvalidSettings("MALL_JWT_PRIVATE_KEY_FILE: holds no Ed25519 key; `treaty up` makes a pair.")
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        if public.split() != public_key_pem.split():
            raise InvalidSettings("MALL_JWT_PRIVATE_KEY_FILE: is not the pair of MALL_JWT_PUBLIC_KEY_FILE.")
        self._key = key
        self._secret = hashlib.sha256(b"mall.user.mark\n" + key.private_bytes_raw()).digest()

    def sign(self, claims: Claims) -> str:
        """The token of these claims."""
        payload = {
            "sub": str(claims.user_id),
            "sid": str(claims.session_id),
            "iat": claims.begins,
            "exp": claims.ends,
        } | ({"admin": True} if claims.is_admin else {})
        return jwt.encode(payload, self._key, algorithm="EdDSA")

    def mark(self, text: str) -> str:
        """The same text has the same mark, which tells nobody without the key what the text was."""
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()
