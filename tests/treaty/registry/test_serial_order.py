"""Changes that come at the same moment end as if they had come one after the other, in some order: answers and all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from itertools import permutations
from typing import Any, Protocol

import httpx
import pytest
from fastapi.testclient import TestClient

from tests.parts.waiting import wait_until
from tests.treaty.registry.asking import asking
from treaty.registry.http.app import create_app
from treaty.registry.settings import RegistrySettings
from treaty.registry.stores.memory import MemoryStore
from treaty.registry.stores.sql.store import open_store
from treaty.registry.testing import registry

ROUNDS = 6


class Answer(Protocol):
    """What both kinds of clients answer."""

    status_code: int

    def json(self) -> Any: ...


class Client(Protocol):
    """A client over a socket or without one."""

    def request(self, method: str, url: str, *, json: Any = None) -> Answer: ...


def record(*fields: Mapping[str, Any]) -> dict[str, str]:
    return {"schema": json.dumps({"type": "record", "name": "T", "fields": list(fields)})}


NUMBER, TEXT = {"name": "a", "type": "int"}, {"name": "a", "type": "string"}
MORE = {"name": "b", "type": "int", "default": 0}
VERSIONS = "/subjects/s/versions"
Change = tuple[str, str, Any]

CASES: Mapping[str, Sequence[Change]] = {
    "register, delete, config, mode": (
        ("POST", VERSIONS, record(NUMBER, MORE)),
        ("DELETE", "/subjects/s", None),
        ("PUT", "/config/s", {"compatibility": "NONE"}),
        ("PUT", "/mode/s", {"mode": "READONLY"}),
    ),
    "rivals, config, delete of the version between them": (
        ("POST", VERSIONS, record(NUMBER, MORE)),
        ("POST", VERSIONS, record(TEXT)),
        ("PUT", "/config/s", {"compatibility": "NONE"}),
        ("DELETE", f"{VERSIONS}/1", None),
    ),
    "the same text, its undelete, a delete for good": (
        ("DELETE", "/subjects/s", None),
        ("DELETE", "/subjects/s?permanent=true", None),
        ("POST", "/treaty/v1" + VERSIONS + "/1/undelete", None),
        ("POST", VERSIONS, record(NUMBER)),
    ),
}


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("case", CASES)
def test_changes_at_the_same_moment_end_as_in_some_order(case: str, database: str) -> None:
    for _ in range(ROUNDS):
        with two_registries(database) as clients:
            prepare(clients[0])
            with ThreadPoolExecutor(len(CASES[case])) as pool:
                doing = [pool.submit(done, clients[n % 2], change) for n, change in enumerate(CASES[case])]
            outcome = (tuple(each.result() for each in doing), state(clients[0]))
            forget(clients[0])
        assert outcome in serial(case), json.dumps(outcome, indent=1)


@contextmanager
def two_registries(database: str) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """Two on one database, each with connections of its own, as two processes have them."""
    with (
        registry(open_store(database, migrate=True)) as one,
        registry(open_store(database, migrate=True)) as two,
        asking(one) as first,
        asking(two) as second,
    ):
        yield first, second


@cache
def serial(case: str) -> list[tuple[tuple[Any, ...], Any]]:
    """What can come of the changes one after the other, in the order in which they are listed."""
    outcomes = []
    for order in permutations(range(len(CASES[case]))):
        with TestClient(create_app(MemoryStore(), settings=RegistrySettings())) as client:
            prepare(client)
            answers = {number: done(client, CASES[case][number]) for number in order}
            outcomes.append((tuple(answers[number] for number in sorted(answers)), state(client)))
    return outcomes


def prepare(client: Client) -> None:
    assert client.request("POST", VERSIONS, json=record(NUMBER)).status_code == 200


def done(client: Client, change: Change) -> tuple[int, str]:
    """Status and body of a change; ids differ from round to round, for none of them comes again."""
    method, path, body = change
    # Who waits five seconds for the database is put off, which a change one after the other never is.
    answer = wait_until(lambda: None if (told := client.request(method, path, json=body)).status_code == 503 else told)
    return answer.status_code, json.dumps(without_ids(answer.json()))


def state(client: Client) -> str:
    """What can be seen of the subject."""
    paths: Sequence[str] = (f"{VERSIONS}?deleted=true", VERSIONS, "/config/s", "/mode/s", f"{VERSIONS}/latest")
    return json.dumps([without_ids(client.request("GET", path).json()) for path in paths])


def without_ids(body: Any) -> Any:
    return {key: value for key, value in body.items() if key not in ("id", "ts")} if isinstance(body, dict) else body


def forget(client: Client) -> None:
    """As if nothing had been, for the next round."""
    for path in ("/mode/s", "/config/s", "/subjects/s", "/subjects/s?permanent=true"):
        client.request("DELETE", path)
    assert client.request("GET", "/subjects?deleted=true").json() == []
