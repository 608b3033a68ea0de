"""The key pair of the local mall and demo users' tokens: JWT signed with EdDSA (RFC 8037), as the user service signs them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ADMIN_USER_ID = 1
LIFETIME = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Keys:
    """Two PEM files."""

    private: Path
    public: Path

    def token(self, user_id: int, *, now: datetime, is_admin: bool = False, lifetime: timedelta = LIFETIME) -> str:
        """A bearer token for one user, valid from ``now`` for ``lifetime``."""
        claims = {"sub": str(user_id), "iat": now, "exp": now + lifetime} | ({"admin": True} if is_admin else {})
        return jwt.encode(claims, self.private.read_bytes(), algorithm="EdDSA")


def keys_in(folder: Path) -> Keys:
    """The pair in ``folder``, made at first use; only we can read the private one."""
    keys = Keys(folder / "jwt-private.pem", folder / "jwt-public.pem")
    if not (keys.private.exists() and keys.public.exists()):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = Ed25519PrivateKey.generate()
        pem = serialization.Encoding.PEM
        secret = made.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        write_private(keys.private, secret)
        keys.public.write_bytes(made.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo))
    return keys


def write_private(file: Path, content: bytes) -> None:
    """Writes a file that is private from its first byte on."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
        handle.write(content)
