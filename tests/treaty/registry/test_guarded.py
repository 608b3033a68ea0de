"""What a visitor may not read is missing, byte for byte; what they may not do is refused, whatever there is."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest

from tests.treaty.registry.asking import asking
from tests.treaty.registry.people import ROLES, as_answered, bearer
from treaty.registry.access.grants import Role
from treaty.registry.guard.permissions import NEEDS, OPEN_PATHS
from treaty.registry.http.routes import ROUTES
from treaty.registry.stores.memory import MemoryStore
from treaty.registry.stores.protocol import Store
from treaty.registry.testing import registry

INT, TEXT = {"schema": '"int"'}, {"schema": '"string"'}
RECORD = {"schema": '{"type":"record","name":"T","fields":[]}'}
ADMIN = [("admin", "*")]


def named(value: object) -> str:
    """Methods and paths name a test, bodies do not."""
    return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class House:
    """A registry with an administrator and whoever else a test lets in."""

    client: httpx.Client
    admin: Mapping[str, str]
    people: Mapping[str, Mapping[str, str]]

    def ask(self, method: str, path: str, who: Mapping[str, str], json: object = None) -> httpx.Response:
        return self.client.request(method, path, headers=who, json=json)

    def register(self, subject: str, body: object) -> int:
        answer = self.ask("POST", f"/subjects/{subject}/versions", self.admin, body)
        assert answer.status_code == 200, answer.text
        given: int = answer.json()["id"]
        return given


@contextmanager
def opened(store: Store) -> Iterator[House]:
    """Subjects of two teams, one of them with references, contexts, config and mode."""
    # Everybody is made before the server looks for the first time, so that no test has to wait for the directory.
    people = {role: bearer(store, role, (role, "ours-*")) for role in ROLES}
    admin = bearer(store, "root", *ADMIN)
    with registry(store) as url, asking(url) as client:
        house = House(client, admin, people)
        house.register("ours-a", INT)
        house.register("theirs-a", TEXT)
        house.register("theirs-a", {"schema": '["string"]'})
        house.register("theirs-t", RECORD)
        reference = [{"name": "T", "subject": "theirs-t", "version": 1}]
        house.register("ours-r", {"schema": '{"type":"array","items":"T"}', "references": reference})
        house.register(":.away:theirs-a", INT)
        house.ask("PUT", "/config/theirs-a", admin, {"compatibility": "FULL_TRANSITIVE"})
        house.ask("PUT", "/mode/theirs-a", admin, {"mode": "READONLY"})
        yield house


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """A house that nobody changes."""
    with opened(MemoryStore()) as house:
        yield house


@pytest.fixture(scope="module")
def arena() -> Iterator[House]:
    """A house whose contents do not matter: all try to change them."""
    with opened(MemoryStore()) as house:
        yield house


@pytest.fixture
def fresh(store: Store) -> Iterator[House]:
    """A house of one's own, on each kind of store in turn."""
    with opened(store) as house:
        yield house


READS = [
    ("POST", "/subjects/{s}", TEXT),
    ("POST", "/subjects/{s}?deleted=true", TEXT),
    ("GET", "/subjects/{s}/versions", None),
    ("GET", "/subjects/{s}/versions?deleted=true", None),
    ("GET", "/subjects/{s}/versions/1", None),
    ("GET", "/subjects/{s}/versions/latest", None),
    ("GET", "/subjects/{s}/versions/1/schema", None),
    ("GET", "/subjects/{s}/versions/1/referencedby", None),
    ("GET", "/subjects/{s}/metadata?key=a&value=b", None),
    ("POST", "/compatibility/subjects/{s}/versions", INT),
    ("POST", "/compatibility/subjects/{s}/versions?verbose=true", INT),
    ("POST", "/compatibility/subjects/{s}/versions/1", INT),
    ("POST", "/compatibility/subjects/{s}/versions/latest", INT),
    ("GET", "/config/{s}", None),
    ("GET", "/config/{s}?defaultToGlobal=true", None),
    ("GET", "/mode/{s}", None),
    ("GET", "/mode/{s}?defaultToGlobal=true", None),
    ("GET", "/treaty/v1/subjects/{s}/versions/1/provenance", None),
]


@pytest.mark.parametrize(("method", "path", "body"), READS, ids=named)
@pytest.mark.parametrize("context", ["", ":.away:"])
def test_a_foreign_subject_is_answered_like_a_missing_one(
    house: House, method: str, path: str, body: object, context: str
) -> None:
    foreign, missing = f"{context}theirs-a", f"{context}theirs-x"
    reader = house.people["reader"]
    of_foreign = house.ask(method, path.format(s=foreign), reader, body)
    of_missing = house.ask(method, path.format(s=missing), reader, body)
    assert of_foreign.text.replace(foreign, "S") == of_missing.text.replace(missing, "S")
    assert (of_foreign.status_code, of_foreign.headers.get("ETag")) == (of_missing.status_code, None)
    assert as_answered(house.ask(method, path.format(s="theirs-a"), house.admin, body)) != as_answered(of_foreign)


@pytest.mark.parametrize("rest", ["", "/schema", "/subjects", "/versions", "?fetchMaxId=true", "?subject=theirs-a"])
def test_an_id_that_is_in_foreign_subjects_only_is_missing(house: House, rest: str) -> None:
    reader = house.people["reader"]
    foreign = house.ask("GET", "/subjects/theirs-a/versions/1", house.admin).json()["id"]
    of_foreign = house.ask("GET", f"/schemas/ids/{foreign}{rest}", reader)
    of_missing = house.ask("GET", f"/schemas/ids/99{rest}", reader)
    assert (of_foreign.status_code, of_missing.status_code) == (404, 404)
    assert of_foreign.text.replace(str(foreign), "N") == of_missing.text.replace("99", "N")


def test_a_remembered_answer_is_remembered_for_those_who_may_have_it(fresh: House) -> None:
    foreign = fresh.ask("GET", "/subjects/theirs-a/versions/1", fresh.admin).json()["id"]
    for _ in range(3):
        assert fresh.ask("GET", f"/schemas/ids/{foreign}", fresh.admin).status_code == 200
        assert fresh.ask("GET", f"/schemas/ids/{foreign}", fresh.people["reader"]).status_code == 404
        assert fresh.client.get(f"/schemas/ids/{foreign}").status_code == 401


def test_a_schema_of_both_teams_is_there_with_our_subjects_alone(fresh: House) -> None:
    shared = fresh.register("ours-b", TEXT)
    reader = fresh.people["reader"]
    assert fresh.ask("GET", f"/schemas/ids/{shared}", reader).status_code == 200
    assert fresh.ask("GET", f"/schemas/ids/{shared}/subjects", reader).json() == ["ours-b"]
    assert fresh.ask("GET", f"/schemas/ids/{shared}/versions", reader).json() == [{"subject": "ours-b", "version": 1}]


def test_a_guid_of_foreign_subjects_is_missing(fresh: House) -> None:
    guid = fresh.ask("GET", "/subjects/theirs-a/versions/1", fresh.admin).json()["guid"]
    for path in (f"/schemas/guids/{guid}", f"/schemas/guids/{guid}/ids"):
        assert fresh.ask("GET", path, fresh.admin).status_code == 200
        assert fresh.ask("GET", path, fresh.people["reader"]).status_code == 404


def test_lists_hold_our_names_and_pages_count_them_alone(fresh: House) -> None:
    reader = fresh.people["reader"]
    assert fresh.ask("GET", "/subjects", reader).json() == ["ours-a", "ours-r"]
    assert fresh.ask("GET", "/subjects?offset=1&limit=1", reader).json() == ["ours-r"]
    assert fresh.ask("GET", "/subjects?subjectPrefix=:*:", reader).json() == ["ours-a", "ours-r"]
    assert [row["subject"] for row in fresh.ask("GET", "/schemas?limit=1", reader).json()] == ["ours-a"]
    assert [row["subject"] for row in fresh.ask("GET", "/schemas?offset=1", reader).json()] == ["ours-r"]
    assert fresh.ask("GET", "/contexts", reader).json() == ["."]
    assert fresh.ask("GET", "/contexts", fresh.admin).json() == [".", ".away"]


def test_a_bare_name_does_not_lead_into_a_foreign_context(fresh: House) -> None:
    fresh.register(":.away:ours-z", INT)
    assert fresh.ask("GET", "/subjects/ours-z/versions", fresh.admin).status_code == 200
    assert fresh.ask("GET", "/subjects/ours-z/versions", fresh.people["reader"]).status_code == 404


def test_what_a_visible_schema_refers_to_is_used_and_not_shown(fresh: House) -> None:
    reader = fresh.people["reader"]
    body = fresh.ask("GET", "/subjects/ours-r/versions/1", reader).json()
    asked = {"schema": body["schema"], "references": body["references"]}
    verdict = fresh.ask(
        "POST", "/compatibility/subjects/ours-r/versions", reader, {"schema": '{"type":"array","items":"int"}'}
    )
    assert verdict.json() == {"is_compatible": False}
    assert fresh.ask("GET", "/subjects/theirs-t/versions/1", reader).status_code == 404
    assert fresh.ask("POST", "/subjects/ours-r", reader, asked).status_code == 422


@pytest.mark.parametrize("version", [1, -1])
def test_a_foreign_subject_cannot_be_referred_to(house: House, version: int) -> None:
    writer = house.people["writer"]
    schema = '{"type":"map","values":"T"}'

    def refer(to: str) -> str:
        reference = [{"name": "T", "subject": to, "version": version}]
        answer = house.ask("POST", "/subjects/ours-n/versions", writer, {"schema": schema, "references": reference})
        assert answer.status_code == 422
        return answer.text

    assert refer("theirs-t").replace("theirs-t", "S") == refer("theirs-x").replace("theirs-x", "S")


WRITES: list[tuple[str, str, object, str]] = [
    ("POST", "/subjects/{s}/versions", INT, "writer"),
    ("POST", "/subjects/{s}/versions?force=true", INT, "admin"),
    ("POST", "/subjects/{s}/versions", {**INT, "id": 77}, "admin"),
    ("DELETE", "/subjects/{s}/versions/1", None, "maintainer"),
    ("DELETE", "/subjects/{s}/versions/1?permanent=true", None, "admin"),
    ("DELETE", "/subjects/{s}", None, "maintainer"),
    ("DELETE", "/subjects/{s}?permanent=TRUE", None, "admin"),
    ("POST", "/treaty/v1/subjects/{s}/versions/1/undelete", None, "maintainer"),
    ("PUT", "/config/{s}", {"compatibility": "NONE"}, "maintainer"),
    ("DELETE", "/config/{s}", None, "maintainer"),
    ("PUT", "/mode/{s}", {"mode": "READONLY"}, "admin"),
    ("DELETE", "/mode/{s}", None, "admin"),
]
GLOBAL: list[tuple[str, str, object]] = [
    ("PUT", "/config", {"compatibility": "NONE"}),
    ("DELETE", "/config", None),
    ("PUT", "/mode", {"mode": "READONLY"}),
    ("DELETE", "/mode", None),
    ("PUT", "/config/:.__GLOBAL:", {"compatibility": "NONE"}),
    ("PUT", "/mode/:.__GLOBAL:", {"mode": "READONLY"}),
    ("PUT", "/config/:.:", {"compatibility": "NONE"}),
    ("PUT", "/contexts/away/mode", {"mode": "READONLY"}),
    ("DELETE", "/contexts/away", None),
    ("GET", "/treaty/v1/audit", None),
]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("write", WRITES, ids=lambda write: f"{write[0]} {write[1]}")
def test_a_write_needs_its_role_on_its_own_subject(
    arena: House, write: tuple[str, str, object, str], role: str
) -> None:
    method, path, body, needs = write
    who = arena.people[role]
    is_allowed = Role[role.upper()] >= Role[needs.upper()]
    ours = arena.ask(method, path.format(s="ours-a"), who, body)
    assert (ours.status_code == 403) == (not is_allowed), ours.text
    assert ours.status_code != 401
    for foreign in ("theirs-a", "theirs-x", ":.away:theirs-a", ":.away:ours-a"):
        answer = arena.ask(method, path.format(s=foreign), who, body)
        assert (answer.status_code, answer.json()["error_code"]) == (403, 40301)
    if not is_allowed:
        assert ours.json()["error_code"] == 40301
        assert " on subject 'ours-a' needs role " in ours.json()["message"]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("method", "path", "body"), GLOBAL, ids=named)
def test_what_holds_for_everybody_needs_admin_of_everything(
    arena: House, method: str, path: str, body: object, role: str
) -> None:
    answer = arena.ask(method, path, arena.people[role], body)
    assert (answer.status_code, answer.json()["error_code"]) == (403, 40301)


def test_every_writing_route_is_in_the_tables_above() -> None:
    tried = {
        (method, path.partition("?")[0].replace("{s}", "{subject}").replace("/1", "/{version}"))
        for method, path, _, _ in WRITES
    }
    tried |= {(method, path.replace("/away", "/{context}")) for method, path, _ in GLOBAL}
    for route in ROUTES:
        if NEEDS[route.method, route.path].role > Role.READER and route.path not in OPEN_PATHS:
            assert (route.method, route.path) in tried


@pytest.mark.parametrize("path", ["/", "/healthz"])
def test_nothing_is_read_of_who_has_not_said_who_they_are(house: House, path: str) -> None:
    """The body never comes: who waited for it would wait here too."""
    with socket.create_connection((house.client.base_url.host, house.client.base_url.port or 80), timeout=60) as asking:
        asking.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n".encode())
        assert asking.recv(65_536).startswith(b"HTTP/1.1 401 ")
    assert house.ask("GET", path, {}).status_code == 200


def test_an_alias_that_may_not_be_read_leads_nowhere(fresh: House) -> None:
    reader = fresh.people["reader"]
    assert fresh.ask("PUT", "/config/theirs-secret", fresh.admin, {"alias": "ours-a"}).status_code == 200
    for path in ("/subjects/{}/versions", "/subjects/{}/versions/1", "/schemas?aliases=true&subjectPrefix={}"):
        led, missing = (fresh.ask("GET", path.format(name), reader) for name in ("theirs-secret", "theirs-nothing"))
        assert led.text.replace("secret", "nothing") == missing.text
        assert led.status_code == missing.status_code
    listed = fresh.ask("GET", "/schemas?aliases=true", reader)
    assert "ours-a" in listed.text
    assert "secret" not in listed.text
    assert fresh.ask("GET", "/subjects/theirs-secret/versions", fresh.admin).json() == [1]
    assert "secret" in fresh.ask("GET", "/schemas?aliases=true", fresh.admin).text


def test_an_alias_does_not_lead_a_write_past_its_grants(fresh: House) -> None:
    """Whoever may set our config could point a name of ours at a name of others."""
    maintainer = fresh.people["maintainer"]
    assert fresh.ask("PUT", "/config/ours-a", maintainer, {"alias": "theirs-t"}).status_code == 200
    for method, path, body in (
        ("POST", "/subjects/ours-a/versions", TEXT),
        ("DELETE", "/subjects/ours-a", None),
        ("DELETE", "/subjects/ours-a/versions/1", None),
    ):
        answer = fresh.ask(method, path, maintainer, body)
        assert answer.status_code == 403, answer.text
        assert "theirs-t" in answer.json()["message"]
    assert fresh.ask("GET", "/subjects/ours-a/versions", maintainer).status_code == 404
    assert fresh.ask("GET", "/subjects/theirs-t/versions", fresh.admin).json() == [1]
