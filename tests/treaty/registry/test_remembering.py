"""What is remembered, and that it is forgotten in time."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from tests.parts.waiting import wait_until
from tests.treaty.registry.asking import asking
from tests.treaty.registry.conftest import SHARED
from treaty.registry.cache import Lru
from treaty.registry.http.answers import Answer
from treaty.registry.http.door import Remembering
from treaty.registry.stores.freshness import Freshness
from treaty.registry.stores.memory import MemoryStore
from treaty.registry.stores.sql.store import open_store
from treaty.registry.testing import registry

INT = {"schema": '"int"'}


def counted(client: httpx.Client, line: str) -> float:
    """A sample of ``/metrics``; 0 if it is not there yet."""
    samples = dict(row.rsplit(" ", 1) for row in client.get("/metrics").text.splitlines() if not row.startswith("#"))
    return float(samples.get(line, 0))


def test_an_answer_by_id_is_remembered_until_its_schema_is_gone(client: httpx.Client) -> None:
    client.post("/subjects/s/versions", json=INT)
    first = client.get("/schemas/ids/1")
    second = client.get("/schemas/ids/1")
    assert second.content == first.content
    assert second.headers["etag"] == first.headers["etag"]
    assert counted(client, 'schema_registry_cache_hits_total{cache="answers"}') == 1
    client.delete("/subjects/s")
    assert client.get("/schemas/ids/1").status_code == 200
    client.delete("/subjects/s?permanent=true")
    assert client.get("/schemas/ids/1").status_code == 404


def test_an_unknown_id_is_not_remembered(client: httpx.Client) -> None:
    assert client.get("/schemas/ids/1").status_code == 404
    client.post("/subjects/s/versions", json=INT)
    assert client.get("/schemas/ids/1").status_code == 200


def test_an_answer_is_remembered_by_type_and_form(client: httpx.Client) -> None:
    client.post("/subjects/s/versions", json=INT)
    for _ in range(2):
        assert client.get("/schemas/ids/1/schema").text == '"int"'
        plain = client.get("/schemas/ids/1", headers={"Accept": "application/json"})
        assert plain.headers["content-type"] == "application/json"
        assert client.get("/schemas/ids/1?fetchMaxId=true").json()["maxId"] == 1


def test_a_client_that_has_it_is_told_so(client: httpx.Client) -> None:
    client.post("/subjects/s/versions", json=INT)
    tag = client.get("/schemas/ids/1").headers["etag"]
    again = client.get("/schemas/ids/1", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("kind", SHARED)
def test_a_delete_in_another_process_is_noticed(kind: str, url_of: Callable[[str], str]) -> None:
    url = url_of(kind)
    one, two = open_store(url, migrate=True), open_store(url, migrate=True)
    with registry(one) as here, registry(two) as there, asking() as client:
        client.post(f"{here}/subjects/s/versions", json=INT)
        assert client.get(f"{here}/schemas/ids/1").status_code == 200
        client.delete(f"{there}/subjects/s")
        client.delete(f"{there}/subjects/s?permanent=true")
        assert wait_until(lambda: client.get(f"{here}/schemas/ids/1").status_code == 404)


def test_the_least_recently_used_goes_first() -> None:
    held: Lru[str, str] = Lru(3, size_of=lambda _, value: len(value))
    held.put("a", "1")
    held.put("b", "2")
    held.put("c", "3")
    assert held.get("a") == "1"
    held.put("d", "4")
    assert [held.get(key) for key in "abcd"] == ["1", None, "3", "4"]
    held.put("big", "12345")
    assert held.get("big") is None
    held.clear()
    assert held.get("a") is None


def test_a_long_query_counts_as_what_is_remembered() -> None:
    """The query is the client's: 60 kB of it beside an answer of 60 bytes must not fill a thousand times the room."""
    store = MemoryStore()
    remembering = Remembering(Freshness(store), capacity_bytes=100_000)
    keys = [("/schemas/ids/1", f"{index}={'x' * 60_000}", "application/json") for index in range(2)]
    for key in keys:
        remembering.keep(remembering.opened(), key, Answer(200, [], (b"{}",)))
    assert [remembering.get(key) is not None for key in keys] == [False, True]


def test_outcomes_are_counted(client: httpx.Client) -> None:
    client.post("/subjects/s/versions", json=INT)
    client.post("/subjects/s/versions", json=INT)
    client.post("/subjects/s/versions", json={"schema": '"string"'})
    client.post("/subjects/s/versions", json={"schema": "{"})
    client.post("/subjects/*/versions", json=INT)
    for outcome in ("new", "existing", "incompatible", "invalid", "refused"):
        assert counted(client, f'schema_registry_registrations_total{{outcome="{outcome}"}}') == 1, outcome
    checks = 'schema_registry_compatibility_checks_total{level="BACKWARD",result="incompatible"}'
    assert counted(client, checks) == 1
    route = '{code="200",method="POST",route="/subjects/{subject}/versions"}'
    assert counted(client, f"schema_registry_http_requests_total{route}") == 2
    assert counted(client, "schema_registry_schemas") == 1
