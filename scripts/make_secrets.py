"""Writes the secrets of the container stack into .secrets/, once: a second run changes nothing.

The folder is private (0700); the files in it are readable, because the containers' users have other numbers than yours.
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

FOLDER = Path(__file__).resolve().parent.parent / ".secrets"
ROLES = (
    "registry",
    "mall_order",
    "mall_goods",
    "mall_chat",
    "mall_user",
    "mall_payment",
    "mall_notification",
    "mall_cache",
    "mall_analytics",
    "mall_search",
    "mall_audit",
)


def main() -> int:
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    FOLDER.chmod(0o700)
    write("postgres_password", secrets.token_urlsafe(24))
    services = (
        f"[{role}]\nhost=postgres\ndbname=treaty\nuser={role}\npassword={secrets.token_urlsafe(24)}\n" for role in ROLES
    )
    write("pg_service.conf", "\n".join(services))
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    if write("jwt_private.pem", private):
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        (FOLDER / "jwt_public.pem").unlink(missing_ok=True)
        write("jwt_public.pem", public)
    return 0


def write(name: str, text: str) -> bool:
    """Writes one file unless it is there; True if it was written."""
    file = FOLDER / name
    if file.exists():
        return False
    file.write_text(text, encoding="utf-8")
    file.chmod(0o444)
    print(f"wrote .secrets/{name}")
    return True


if __name__ == "__main__":
    sys.exit(main())
