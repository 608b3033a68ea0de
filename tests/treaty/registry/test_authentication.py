"""Coming in: by password, by token, by an issuer's word, or not at all."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.parts.waiting import wait_until
from tests.treaty.registry.asking import asked, asking
from tests.treaty.registry.people import administration, as_answered, bearer
from treaty.registry.access import passwords
from treaty.registry.errors import Unauthorized
from treaty.registry.guard.authentication import DIRECTORY_SECONDS, REMEMBERED_SECONDS, Authentication
from treaty.registry.guard.permissions import OPEN_PATHS
from treaty.registry.http.routes import ROUTES
from treaty.registry.settings import RegistrySettings
from treaty.registry.stores.memory import MemoryStore
from treaty.registry.stores.protocol import Store
from treaty.registry.testing import registry

PASSWORD = "correct horse battery"
WHEN = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return WHEN + timedelta(seconds=self.seconds)


def authentication(store: Store, clock: Clock, *, required: bool = False) -> Authentication:
    return Authentication(
        store, jwt_tokens=None, required=required, now=clock.now, monotonic=clock.monotonic, random=secrets.token_bytes
    )


def basic(name: str, password: str) -> bytes:
    return b"Basic " + base64.b64encode(f"{name}:{password}".encode())


@pytest.fixture(scope="module")
def closed() -> Iterator[tuple[httpx.Client, MemoryStore]]:
    """A client without credentials of a registry that has some, and its store."""
    store = MemoryStore()
    administration(store).put_user("ann", PASSWORD)
    administration(store).add_grant("ann", "admin", "*")
    with registry(store) as url, asking(url) as client:
        yield client, store


def test_a_password_is_kept_as_a_hash_that_only_it_fits() -> None:
    stored = passwords.hashed(PASSWORD, random=secrets.token_bytes)
    assert PASSWORD not in stored
    assert passwords.is_password(PASSWORD, stored)
    assert not passwords.is_password(f"{PASSWORD} ", stored)
    assert not any(passwords.is_password("", text) for text in ("", "scrypt$1$1$1$a$b", "scrypt$x", passwords.NOBODY))
    assert stored != passwords.hashed(PASSWORD, random=secrets.token_bytes)


def test_a_store_keeps_neither_passwords_nor_tokens(store: Store) -> None:
    operator = administration(store)
    operator.put_user("ann", PASSWORD)
    token = operator.add_token("ci", lifetime=None)
    directory = store.directory()
    everything = repr([directory.passwords, directory.tokens, store.audit(), directory])
    assert PASSWORD not in everything
    assert token not in everything
    assert token[-43:] not in everything


def test_the_directory_is_the_same_on_every_store(store: Store) -> None:
    operator = administration(store, now=lambda: WHEN)
    operator.put_user("ann", PASSWORD)
    operator.add_token("ci", lifetime=timedelta(days=1))
    operator.add_grant("ann", "writer", "orders-*")
    operator.add_grant("ann", "writer", "orders-*")
    first = store.directory()
    assert store.directory(first) is first
    assert set(first.passwords) == {"ann", "ci"}
    (token,) = first.tokens.values()
    assert (token.principal, token.created_at, token.expires_at) == ("ci", WHEN, WHEN + timedelta(days=1))
    assert [(grant.to, grant.role.name, str(grant.pattern)) for grant in first.grants] == [
        ("ann", "WRITER", ":.:orders-*")
    ]
    operator.add_token("ann", lifetime=None)
    assert store.directory().passwords["ann"] == first.passwords["ann"]
    operator.remove_user("ann")
    operator.remove_token(token.id)
    last = store.directory(first)
    assert (dict(last.passwords), dict(last.tokens), last.grants) == ({"ci": None}, {}, ())
    assert [entry.action for _, entry in store.audit()][:3] == ["remove-token", "remove-user", "add-token"]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_but_the_open_ones_asks_who_is_there(
    closed: tuple[httpx.Client, MemoryStore], route: object
) -> None:
    client, _ = closed
    method, path = getattr(route, "method"), getattr(route, "path")  # noqa: B009  # named by the table
    answer = client.request(method, path.format(subject="s", version="1", id="1", guid="g", context="c"), json={})
    if method == "GET" and path in OPEN_PATHS:
        assert answer.status_code == 200
        return
    assert answer.status_code == 401
    assert answer.json() == {"error_code": 401, "message": "Unauthorized"}
    assert "Basic" in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("path", ["/nothing", "/openapi.json", "/docs", "/associations", "/%2e%2e/subjects"])
def test_what_is_no_route_asks_too(closed: tuple[httpx.Client, MemoryStore], path: str) -> None:
    assert closed[0].get(path).status_code == 401
    assert closed[0].options(path).status_code == 401


def test_names_passwords_and_tokens_let_in(closed: tuple[httpx.Client, MemoryStore]) -> None:
    client, store = closed
    assert client.get("/subjects", auth=("ann", PASSWORD)).status_code == 200
    headers = bearer(store, "ann")
    token = headers["Authorization"].removeprefix("Bearer ")

    def is_in() -> bool:
        return client.get("/subjects", headers=headers).status_code == 200

    wait_until(is_in)
    assert client.get("/subjects", auth=("token", token)).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"ann").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        "Basic " + base64.b64encode(f"ann:{PASSWORD}x".encode()).decode(),
        "Basic " + base64.b64encode(f"Ann:{PASSWORD}".encode()).decode(),
        "Basic " + base64.b64encode(b"token:trty_0123456789abcdef_" + b"x" * 43).decode(),
        "Bearer",
        "Bearer ann",
        "Bearer trty_0123456789abcdef_" + "x" * 43,
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.",
        "Digest username=ann",
        "Bearer " + "x" * 20_000,
    ],
)
def test_wrong_credentials_are_all_answered_alike(closed: tuple[httpx.Client, MemoryStore], header: str) -> None:
    client, _ = closed
    wrong = as_answered(client.get("/subjects", auth=("nobody", "wrong password")))
    assert as_answered(client.get("/subjects", headers={"Authorization": header})) == wrong
    assert wrong[0] == 401


def test_a_name_that_nobody_has_costs_a_hash_too(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def is_password(_password: str, stored: str) -> bool:
        asked.append(stored)
        return False

    store, clock = MemoryStore(), Clock()
    administration(store).put_user("ann", PASSWORD)
    bearer(store, "tokens-only")
    monkeypatch.setattr("treaty.registry.guard.authentication.is_password", is_password)
    door = authentication(store, clock)
    for name in ("ann", "nobody", "tokens-only"):
        with pytest.raises(Unauthorized):
            door.principal(basic(name, "wrong password"))
    assert len(asked) == 3
    assert asked[1:] == [passwords.NOBODY] * 2


def test_a_proof_is_remembered_for_a_minute_and_not_longer() -> None:
    store, clock = MemoryStore(), Clock()
    administration(store).put_user("ann", PASSWORD)
    door, header = authentication(store, clock), basic("ann", PASSWORD)
    assert door.remembered(header) is None
    assert door.principal(header).name == "ann"
    known = door.remembered(header)
    assert known is not None
    assert known.name == "ann"
    assert door.remembered(basic("ann", "another password")) is None
    clock.seconds += DIRECTORY_SECONDS + 0.1
    assert door.remembered(header) is None, "the directory has to be looked at first"
    door.principal(header)
    clock.seconds += REMEMBERED_SECONDS + 0.1
    with pytest.raises(Unauthorized):
        door.principal(basic("ann", "wrong password"))
    assert door.remembered(header) is None


def test_a_removed_user_is_out_when_the_directory_is_looked_at() -> None:
    store, clock = MemoryStore(), Clock()
    administration(store).put_user("ann", PASSWORD)
    door, header = authentication(store, clock), basic("ann", PASSWORD)
    door.principal(header)
    administration(store).remove_user("ann")
    clock.seconds += DIRECTORY_SECONDS + 0.1
    with pytest.raises(Unauthorized):
        door.principal(header)


def test_removing_the_last_user_does_not_open_the_registry() -> None:
    store, clock = MemoryStore(), Clock()
    door = authentication(store, clock)
    assert door.principal(b"").name == "anonymous"
    administration(store).put_user("ann", PASSWORD)
    clock.seconds += DIRECTORY_SECONDS + 0.1
    with pytest.raises(Unauthorized):
        door.principal(b"")
    administration(store).remove_user("ann")
    clock.seconds += DIRECTORY_SECONDS + 0.1
    with pytest.raises(Unauthorized):
        door.principal(b"")


def test_a_process_that_looks_after_the_last_user_went_lets_nobody_in(store: Store) -> None:
    administration(store).put_user("ann", PASSWORD)
    administration(store).remove_user("ann")
    with pytest.raises(Unauthorized):
        authentication(store, Clock()).principal(b"")


def test_beyond_loopback_nobody_is_anonymous() -> None:
    with pytest.raises(Unauthorized):
        authentication(MemoryStore(), Clock(), required=True).principal(b"")


def test_a_token_ends_when_it_was_told_to() -> None:
    store, clock = MemoryStore(), Clock()
    operator = administration(store, now=clock.now)
    token = operator.add_token("ci", lifetime=timedelta(seconds=30))
    door, header = authentication(store, clock), f"Bearer {token}".encode()
    assert door.principal(header).name == "ci"
    clock.seconds += 31
    with pytest.raises(Unauthorized):
        door.principal(header)


def test_metrics_can_be_closed() -> None:
    store = MemoryStore()
    headers = bearer(store, "prometheus")
    with registry(store, settings=RegistrySettings(metrics_auth=True)) as url:
        assert asked("GET", f"{url}/metrics").status_code == 401
        assert asked("GET", f"{url}/metrics", headers=headers).status_code == 200
        assert asked("GET", f"{url}/readyz").status_code == 200


def test_too_many_requests_of_one_are_answered_429_and_others_go_on() -> None:
    store = MemoryStore()
    ann, bob = bearer(store, "ann", ("reader", "*")), bearer(store, "bob", ("reader", "*"))
    with (
        registry(store, settings=RegistrySettings(rate_limit="3/hour")) as url,
        asking(url) as client,
    ):
        codes = [client.get("/subjects", headers=ann).status_code for _ in range(5)]
        assert codes == [200, 200, 200, 429, 429]
        refused = client.get("/subjects", headers=ann)
        assert refused.json() == {"error_code": 42901, "message": "Too many requests."}
        assert refused.headers["Retry-After"] == "1"
        assert client.get("/subjects", headers=bob).status_code == 200
        assert client.get("/healthz", headers=ann).status_code == 200
