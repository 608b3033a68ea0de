"""Tokens of the user service, as the other services check them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from mall.errors import Unauthorized
from mall.identity import Identities, Identity
from mall.settings import InvalidSettings
from mall.user.tokens import Claims, Signer

NOW = datetime.now(UTC)


def pair(key: Ed25519PrivateKey) -> tuple[bytes, bytes]:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def signer(key: Ed25519PrivateKey) -> Signer:
    private, public = pair(key)
    return Signer(private, public_key_pem=public)


@pytest.mark.parametrize("is_admin", [False, True])
def test_every_service_reads_who_it_is_and_from_which_session(is_admin: bool) -> None:
    private, public = pair(Ed25519PrivateKey.generate())
    session_id = uuid4()
    claims = Claims(user_id=7, session_id=session_id, is_admin=is_admin, begins=NOW, ends=NOW + timedelta(hours=1))
    token = Signer(private, public_key_pem=public).sign(claims)
    assert Identities(public).of(f"Bearer {token}") == Identity(user_id=7, is_admin=is_admin, session_id=session_id)


def test_a_token_ends() -> None:
    private, public = pair(Ed25519PrivateKey.generate())
    ended = NOW - timedelta(hours=1)
    claims = Claims(user_id=7, session_id=uuid4(), is_admin=False, begins=ended - timedelta(hours=1), ends=ended)
    with pytest.raises(Unauthorized, match="expired"):
        Identities(public).of(f"Bearer {Signer(private, public_key_pem=public).sign(claims)}")


def test_keys_that_are_no_pair_are_refused_before_anybody_gets_a_token() -> None:
    private, public = pair(Ed25519PrivateKey.generate())
    _, other = pair(Ed25519PrivateKey.generate())
    rsa = generate_private_key(public_exponent=65_537, key_size=2_048)
    foreign = rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for wrong, shown in ((private, other), (foreign, public), (b"nonsense", public), (public, public)):
        with pytest.raises(InvalidSettings, match="MALL_JWT_PRIVATE_KEY_FILE"):
            Signer(wrong, public_key_pem=shown)


def test_a_mark_is_the_key_s_own() -> None:
    first, second = (signer(Ed25519PrivateKey.generate()) for _ in range(2))
    assert first.mark("x") == first.mark("x")
    assert len({first.mark("x"), first.mark("y"), second.mark("x")}) == 3
