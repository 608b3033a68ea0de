"""What a registry counts, by the names that dashboards and alerts ask for, told by a real one after a few requests."""

from __future__ import annotations

import json
from collections.abc import Mapping

import httpx
import pytest

from tests.parts.waiting import wait_until
from tests.treaty.registry.asking import asking
from tests.treaty.registry.people import bearer
from treaty.registry.stores.memory import MemoryStore
from treaty.registry.testing import registry

PATH = "/subjects/a%2Fb/versions"
WORD, NUMBER = {"schema": '"string"'}, {"schema": '"int"'}


def counts(client: httpx.Client) -> Mapping[str, float]:
    """Samples by name and labels."""
    rows = [row.rpartition(" ") for row in client.get("/metrics").text.splitlines() if not row.startswith("#")]
    return {name.removeprefix("schema_registry_"): float(value) for name, _, value in rows}


@pytest.fixture(scope="module")
def told() -> Mapping[str, float]:
    """The samples after each outcome of a registration once, two checks, and one question asked twice."""
    store = MemoryStore()
    admin, reader = bearer(store, "root", ("admin", "*")), bearer(store, "eyes", ("reader", "*"))
    with registry(store) as url, asking(url, headers=admin) as client:
        answers = [
            client.post(PATH, json=WORD),
            client.post(PATH, json=WORD),
            client.post(PATH, json=NUMBER),
            client.post(PATH, json={"schema": "{"}),
            client.post("/compatibility" + PATH, json=WORD),
            client.post("/compatibility" + PATH, json=NUMBER),
            client.get("/schemas/ids/1"),
            client.get("/schemas/ids/1"),
            client.post(PATH, json=WORD, headers=reader),
            client.put("/mode", json={"mode": "READONLY"}),
            client.post(PATH, json=NUMBER),
        ]
        assert [each.status_code for each in answers] == [200, 200, 409, 422, 200, 200, 200, 200, 403, 200, 422]
        # A request is counted when its answer has gone, which may be after it came.
        last = _requests("POST", "/subjects/{subject}/versions", 422)
        return wait_until(lambda: found if (found := counts(client)).get(last) == 2 else None)


def _requests(method: str, route: str, code: int) -> str:
    labels = {"code": str(code), "method": method, "route": route}
    return "http_requests_total{" + ",".join(f"{name}={json.dumps(value)}" for name, value in labels.items()) + "}"


def test_requests_are_counted_by_the_template_of_their_route_and_never_by_their_path(told: Mapping[str, float]) -> None:
    assert told[_requests("GET", "/schemas/ids/{id}", 200)] == 2
    assert told[_requests("POST", "/subjects/{subject}/versions", 403)] == 1
    assert told['http_request_duration_seconds_count{method="GET",route="/schemas/ids/{id}"}'] == 2
    assert not [name for name in told if "a/b" in name or "a%2Fb" in name]


def test_registrations_are_counted_by_their_outcome(told: Mapping[str, float]) -> None:
    outcomes = {name: told[f'registrations_total{{outcome="{name}"}}'] for name in ("new", "existing", "incompatible")}
    assert outcomes == {"new": 1, "existing": 1, "incompatible": 1}
    assert told['registrations_total{outcome="invalid"}'] == 1
    assert told['registrations_total{outcome="refused"}'] >= 1


def test_checks_caches_and_what_is_stored_are_counted(told: Mapping[str, float]) -> None:
    assert told['compatibility_checks_total{level="BACKWARD",result="compatible"}'] >= 1
    assert told['compatibility_checks_total{level="BACKWARD",result="incompatible"}'] >= 1
    assert sum(count for name, count in told.items() if name.startswith("cache_hits_total")) >= 1
    assert sum(count for name, count in told.items() if name.startswith("cache_misses_total")) >= 1
    assert [count for name, count in told.items() if name.startswith("store_seconds_count")]
    assert (told["subjects"], told["schemas"]) == (1, 1)
    assert {"store_retries_total", "audit_dropped_total", "faults_total"} <= told.keys()
    assert [name for name in told if name.startswith("build_info{version=")]
