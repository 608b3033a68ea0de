"""The user service behind its counter, with cheap hashes and keys of the test's own."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mall.identity import Identities
from mall.limits import Limits
from mall.user.api import routes
from mall.user.handlers import handlers
from mall.user.passwords import Cost, Passwords
from mall.user.signing_in import Door
from mall.user.tables import metadata
from mall.user.tokens import Signer
from tests.mall.counter import Clock, Counter, Tokens, opened

ADMIN = 1
CHEAP = Cost(2**4, 1, 1)
USERS = "/api/v1/users"
PASSWORD = "correct horse"


@dataclass(frozen=True)
class Centre:
    """The user service as people use it."""

    counter: Counter

    async def call(self, method: str, path: str, *, token: str = "", **rest: Any) -> Any:
        """The answer of a request with a token of the service's own, or of nobody."""
        headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **rest.pop("headers", {})}
        return await self.counter.call(method, USERS + path, headers=headers, **rest)

    async def register(self, username: str = "testuser", **fields: Any) -> int:
        """A new account, whose registration was handled."""
        body = {"username": username, "email": "test@example.com", "password": PASSWORD, **fields}
        answer = await self.call("POST", "/register", json=body)
        assert answer.status_code == 201, answer.text
        await self.follow()
        return int(answer.json()["user_id"])

    async def login(self, username: str = "testuser", password: str = PASSWORD, **rest: Any) -> str:
        """The token of a sign-in with success."""
        answer = await self.call("POST", "/login", json={"username": username, "password": password}, **rest)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["token"])

    async def follow(self) -> None:
        """Let the group handle everything told so far that is its own, and forget what it handled."""
        told, known = self.counter.told, handlers.events
        mine = [event for event in told.events if type(event) in known]
        told.events[:] = [event for event in told.events if type(event) not in known]
        for event in mine:
            await self.counter.handle(handlers, event)


@pytest.fixture
async def centre(
    database_url: str, clock: Clock, tokens: Tokens, private_key: Ed25519PrivateKey
) -> AsyncIterator[Centre]:
    """The user service without Kafka and Redis."""
    private_pem = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    async with opened("user", database_url, metadata=metadata, routers=[routes], clock=clock, tokens=tokens) as counter:
        counter.app.state.door = Door(
            passwords=Passwords(random=os.urandom, cost=CHEAP),
            limits=Limits(None, now=clock),
            new_session_id=uuid4,
            admins=frozenset({ADMIN}),
        )
        counter.app.state.identities = Identities(tokens.public_pem, now=clock)
        counter.app.state.signer = Signer(private_pem, public_key_pem=tokens.public_pem)
        yield Centre(counter)
