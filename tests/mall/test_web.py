"""HTTP as all services speak it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import APIRouter
from psycopg.errors import SerializationFailure
from sqlalchemy.exc import OperationalError

from mall.errors import TooManyRequests
from mall.identity import Identities
from mall.requests import Body, Line
from mall.web import LARGEST_BODY, Who, application
from tests.mall.counter import Tokens

routes = APIRouter()


class Greeting(Body):
    """A body."""

    text: Line


@routes.get("/me")
async def me(who: Who) -> dict[str, Any]:
    return {"user_id": who.user_id, "operator": who.operator}


@routes.post("/greet")
async def greet(body: Greeting) -> dict[str, str]:
    return {"text": body.text}


@routes.get("/busy")
async def busy() -> None:
    raise TooManyRequests


@routes.get("/broken")
async def broken() -> None:
    raise ZeroDivisionError("secret")


@routes.get("/databaseless")
async def databaseless() -> None:
    raise OperationalError("SELECT 1", {}, Exception("refused"), connection_invalidated=True)


@routes.get("/contended")
async def contended() -> None:
    raise OperationalError("UPDATE", {}, SerializationFailure("could not serialize access"))


@pytest.fixture
async def client(identities: Identities) -> AsyncIterator[httpx.AsyncClient]:
    app = application("test", identities=identities, routers=[routes])
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://mall.test") as client:
        yield client


async def test_a_token_says_who_asks(client: httpx.AsyncClient, tokens: Tokens) -> None:
    assert (await client.get("/me", headers=tokens.of(7))).json() == {"user_id": 7, "operator": "user:7"}
    assert (await client.get("/me", headers=tokens.of(7, admin=True))).json()["operator"] == "admin:7"
    assert (await client.get("/me", headers=tokens.of(7, admin="true"))).json()["operator"] == "user:7"  # type: ignore[arg-type]  # a forged claim


def wrong_tokens() -> Iterator[Any]:
    hour = datetime.now(UTC) + timedelta(hours=1)
    yield pytest.param(None, id="none")
    yield pytest.param("", id="empty")
    yield pytest.param("Basic abc", id="another scheme")
    yield pytest.param("Bearer", id="no token")
    yield pytest.param("Bearer a.b.c", id="not a token")
    yield pytest.param(f"Bearer {jwt.encode({'sub': '7', 'exp': hour}, '', algorithm='none')}", id="unsigned")
    secret = "x" * 32
    yield pytest.param(
        f"Bearer {jwt.encode({'sub': '7', 'exp': hour}, secret, algorithm='HS256')}", id="another algorithm"
    )
    other = jwt.encode({"sub": "7", "exp": hour}, Ed25519PrivateKey.generate(), algorithm="EdDSA")
    yield pytest.param(f"Bearer {other}", id="another key")


@pytest.mark.parametrize("header", list(wrong_tokens()))
async def test_without_a_good_token_nobody_is_known(client: httpx.AsyncClient, header: str | None) -> None:
    answer = await client.get("/me", headers={} if header is None else {"Authorization": header})
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": datetime(2020, 1, 1, tzinfo=UTC)},
        {"exp": None},
        {"sub": "0"},
        {"sub": "-1"},
        {"sub": "alice"},
        {"sub": str(2**63)},
        {"sub": "７"},
    ],
)
async def test_a_token_names_a_user_and_an_end(
    client: httpx.AsyncClient, tokens: Tokens, claims: dict[str, Any]
) -> None:
    assert (await client.get("/me", headers=tokens.of(7, **claims))).status_code == 401


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "JSON"),
        (b"\xff\xfe", "JSON"),
        (b"", "body"),
        (b"[]", "body"),
        (b'{"text": "\\ud800"}', "text"),
        (b'{"text": "a\\u0000"}', "NUL"),
        (b'{"text": "a", "extra": 1}', "extra"),
        (b'{"text": 5}', "text"),
        (b"[" * 100_000, "JSON"),
    ],
)
async def test_a_body_that_cannot_be_read_is_a_clear_422(client: httpx.AsyncClient, body: bytes, words: str) -> None:
    answer = await client.post("/greet", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")
    assert words in answer.json()["message"]
    assert answer.json()["next"]


async def test_a_body_over_a_megabyte_is_refused_unread(client: httpx.AsyncClient) -> None:
    async def streamed() -> AsyncIterator[bytes]:
        for _ in range(LARGEST_BODY // 100_000 + 1):
            yield b" " * 100_000

    for content in (b" " * (LARGEST_BODY + 1), streamed()):
        answer = await client.post("/greet", content=content)
        assert (answer.status_code, answer.json()["error"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/nowhere", 404, "not_found"),
        ("/greet", 405, "refused"),
        ("/busy", 429, "too_many_requests"),
        ("/broken", 500, "internal"),
        ("/databaseless", 503, "database_unavailable"),
        ("/contended", 503, "database_unavailable"),
    ],
)
async def test_every_refusal_has_one_shape(client: httpx.AsyncClient, path: str, status: int, error: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["message"]
    assert answer.json()["next"]
    assert "secret" not in answer.text


async def test_an_unknown_field_is_not_sent_back_whole(client: httpx.AsyncClient) -> None:
    answer = await client.post("/greet", json={"text": "a", "x" * 100_000: 1})
    assert answer.status_code == 422
    assert len(answer.content) < 2_000


async def test_no_page_loads_scripts_from_elsewhere(client: httpx.AsyncClient) -> None:
    assert (await client.get("/docs")).status_code == 404
    assert (await client.get("/redoc")).status_code == 404
    assert (await client.get("/openapi.json")).status_code == 200
