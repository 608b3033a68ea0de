"""Fixtures of the mall: each test that asks for a database runs on a SQLite file and on a real PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mall.identity import Identities
from tests.mall.counter import Clock, Tokens


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty database of the test's own."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'service.sqlite'}"
    return str(request.getfixturevalue("postgres"))


@pytest.fixture
def clock() -> Clock:
    """The services' clock, which only the test moves."""
    return Clock()


@pytest.fixture(scope="session")
def private_key() -> Ed25519PrivateKey:
    """The key the user service would sign with."""
    return Ed25519PrivateKey.generate()


@pytest.fixture(scope="session")
def tokens(private_key: Ed25519PrivateKey) -> Tokens:
    """Makes tokens."""
    return Tokens(private_key)


@pytest.fixture(scope="session")
def identities(tokens: Tokens) -> Identities:
    """Checks them."""
    return Identities(tokens.public_pem)
