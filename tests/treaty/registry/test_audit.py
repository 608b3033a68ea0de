"""What was done and what was refused is written down: who, from where, what, when, how it ended, and no secret."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.parts.waiting import wait_until
from tests.treaty.registry.asking import asked, asking
from tests.treaty.registry.people import administration, bearer
from tests.treaty.registry.running import running
from treaty.registry.access.audit import Entry, clean
from treaty.registry.errors import StoreUnavailable
from treaty.registry.guard.guarded import GuardedReader, GuardedWriter
from treaty.registry.guard.trail import MOST_A_FLUSH, Trail
from treaty.registry.names import Name
from treaty.registry.observation import AuditDropped, Record
from treaty.registry.settings import RegistrySettings
from treaty.registry.stores.delegating import DelegatingReader, DelegatingWriter
from treaty.registry.stores.memory import MemoryReader, MemoryStore, MemoryWriter
from treaty.registry.stores.protocol import Store
from treaty.registry.testing import registry

INT, LONG = {"schema": '"int"'}, {"schema": '"long"'}
SILENT_CHANGES = {"add_schema", "raise_generation", "add_audit"}
"""Changes that are part of another one, which is written down."""


def actions(store: Store) -> list[tuple[str, str, int | None]]:
    return [(entry.action, entry.subject, entry.version) for _, entry in reversed(store.audit(limit=1000))]


def test_every_change_is_written_down_once(store: Store) -> None:
    headers = bearer(store, "ann", ("admin", "*"))
    before = len(store.audit())
    with registry(store) as url, asking(url, headers=headers) as client:
        for method, path, body in (
            ("POST", "/subjects/s/versions", INT),
            ("POST", "/subjects/s/versions", INT),
            ("POST", "/subjects/s/versions", LONG),
            ("PUT", "/config/s", {"compatibility": "NONE"}),
            ("PUT", "/config/s", {"compatibility": "NONE"}),
            ("PUT", "/mode/s", {"mode": "READWRITE"}),
            ("DELETE", "/subjects/s/versions/1", None),
            ("POST", "/treaty/v1/subjects/s/versions/1/undelete", None),
            ("DELETE", "/subjects/s", None),
            ("DELETE", "/subjects/s?permanent=true", None),
            ("DELETE", "/subjects/s?permanent=true", None),
            ("GET", "/subjects", None),
        ):
            client.request(method, path, json=body)
        entries = client.get("/treaty/v1/audit?limit=2").json()
        earlier = client.get(f"/treaty/v1/audit?limit=2&before={entries[-1]['id']}").json()
    assert actions(store)[before:] == [
        ("register", "s", 1), ("register", "s", 2),
        ("config", "s", None), ("mode", "s", None),
        ("delete", "s", 1), ("undelete", "s", 1),
        ("delete", "s", 1), ("delete", "s", 2),
        ("remove", "s", 2), ("remove", "s", 1),
        ("config", "s", None), ("mode", "s", None),
    ]  # fmt: skip
    first = store.audit(limit=1000)[-1 - before][1]
    assert (first.actor, first.source_ip, first.outcome, first.schema_id) == ("ann", "127.0.0.1", "done", 1)
    assert first.request_id
    assert first.before_sha256 is None
    assert first.after_sha256
    assert [entry["action"] for entry in entries] == ["mode", "config"]
    assert [entry["id"] for entry in earlier] == [entries[-1]["id"] - 1, entries[-1]["id"] - 2]


def test_a_change_that_is_not_made_is_not_written_down(store: Store) -> None:
    with registry(store) as url, asking(url) as client:
        client.post("/subjects/s/versions", json=INT)
        client.post("/subjects/s/versions", json={"schema": '"string"'})
        client.post("/subjects/s/versions", json={"schema": "nonsense"})
    assert actions(store) == [("register", "s", 1)]


def test_refusals_are_written_down_with_who_and_why(store: Store) -> None:
    headers = bearer(store, "ann", ("reader", "ours-*"))
    with registry(store) as url, asking(url) as client:
        client.post("/subjects/theirs/versions", json=INT, headers=headers)
        client.get("/subjects", auth=("eve", "hunter2-hunter2"))
        wait_until(lambda: sum(entry.outcome == "refused" for _, entry in store.audit()) == 2)
    refused = {(e.actor, e.action, e.reason, e.source_ip) for _, e in store.audit() if e.outcome == "refused"}
    assert refused == {
        ("ann", "POST /subjects/theirs/versions", "403", "127.0.0.1"),
        ("", "/subjects", "401", "127.0.0.1"),
    }


def test_no_secret_is_in_the_audit_or_in_an_answer(store: Store) -> None:
    operator = administration(store)
    operator.put_user("ann", "hunter2-hunter2")
    token = operator.add_token("ann", lifetime=None)
    with registry(store) as url, asking(url) as client:
        texts = [
            client.get("/subjects", auth=("ann", "wrong hunter2-hunter2")).text,
            client.get("/subjects", headers={"Authorization": f"Bearer {token}x"}).text,
            client.post(f"/subjects/{token}/versions", json=INT, auth=("ann", "hunter2-hunter2")).text[:0],
            client.get("/metrics").text,
        ]
        wait_until(lambda: sum(entry.outcome == "refused" for _, entry in store.audit()) >= 2)
    texts += [str(entry.as_json()) for _, entry in store.audit() if entry.outcome == "done"]
    assert not any("hunter2" in text or token[-43:] in text for text in texts)


def test_each_change_is_one_line_of_the_log_without_what_was_sent(tmp_path: Path) -> None:
    said: list[str] = []
    with running(said=said, database=f"sqlite:///{tmp_path}/r.db") as (_, port):
        url = f"http://127.0.0.1:{port}"
        subject, schema = "a%E2%80%AEb", {"schema": '{"type":"enum","name":"E","symbols":["HIDDEN"]}'}
        asked("POST", f"{url}/subjects/{subject}/versions", json=schema).raise_for_status()
        asked("POST", f"{url}/subjects/{subject}/versions", json=schema).raise_for_status()
        asked("POST", f"{url}/subjects/b/versions", json={"schema": "nonsense"})
        asked("PUT", f"{url}/config/b", json={"compatibility": "NONE"}).raise_for_status()
        wait_until(lambda: len(said) == 2)
    lines = [json.loads(line) for line in said]
    assert [(line["action"], line["actor"], line["outcome"]) for line in lines] == [
        ("register", "anonymous", "done"),
        ("config", "anonymous", "done"),
    ]
    assert "HIDDEN" not in "".join(said)
    assert all(line.isascii() for line in said), "nothing in a name can move a terminal's cursor"


def test_what_comes_from_outside_is_made_harmless() -> None:
    assert clean("a\nb\x1b[31m\u202e") == "a\ufffdb\ufffd[31m\ufffd"
    assert len(clean("x" * 10_000)) == 512


class Slow(MemoryStore):
    """A store that takes notes only when it is told to, and fails if told so."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = False

    def note(self, entries: object) -> None:
        if self.is_away:
            raise StoreUnavailable
        super().note(entries)  # type: ignore[arg-type]  # passed on as it is


def entry(number: int) -> Entry:
    return Entry(at=number, actor="a", source_ip="", request_id="", action="x", outcome="refused")


def test_too_many_refusals_are_dropped_and_counted() -> None:
    told: list[Record] = []
    store = MemoryStore()
    trail = Trail(store, observe=told.append)
    for number in range(MOST_A_FLUSH + 5):
        trail.note(entry(number))
    trail.flush()
    trail.flush()
    assert len(store.audit(limit=5000)) == MOST_A_FLUSH
    assert told == [AuditDropped(1)] * 5


def test_refusals_that_the_store_does_not_take_are_counted() -> None:
    told: list[Record] = []
    store = Slow()
    store.is_away = True
    trail = Trail(store, observe=told.append)
    trail.note(entry(1))
    trail.flush()
    assert told == [AuditDropped(1)]


def test_nothing_can_be_asked_or_changed_past_the_guard() -> None:
    """Whatever a reader or writer learns later has to be passed on by hand, and a change has to be written down."""

    def public(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_") and callable(getattr(kind, name))}

    assert public(MemoryReader) == public(DelegatingReader)
    assert public(MemoryWriter) == public(DelegatingWriter)
    changes = public(MemoryWriter) - public(MemoryReader)
    assert {name for name in changes if name not in vars(GuardedWriter)} == SILENT_CHANGES
    unguarded = {name for name in public(MemoryReader) if name not in vars(GuardedReader)}
    assert unguarded == {"schemas", "referred", "last_id", "counts"}, "each of these gives nothing that a name guards"


def test_entries_of_many_threads_are_all_there(new_store: Callable[[str], Store]) -> None:
    store = new_store("sqlite")
    threads = [threading.Thread(target=store.note, args=([entry(number)],)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.at for _, each in store.audit()) == list(range(16))
    assert len({number for number, _ in store.audit()}) == 16


@pytest.mark.postgres
def test_a_name_stays_a_name_whatever_it_holds(store: Store) -> None:
    odd = "\u202eevil\"'; DROP TABLE audit; --"
    operator = administration(store)
    operator.add_grant(f"group:{odd.strip(chr(0x202E))}", "reader", "*")
    assert len(store.directory().grants) == 1
    with store.write(Name(".", "s")) as writer:
        writer.add_audit(entry(1))
    assert len(store.audit()) == 2


def test_where_a_request_came_from_is_not_what_a_stranger_says() -> None:
    store = MemoryStore()
    with registry(store) as url:
        asked("POST", f"{url}/subjects/s/versions", json=INT, headers={"X-Forwarded-For": "6.6.6.6"})
    assert [entry.source_ip for _, entry in store.audit()] == ["127.0.0.1"]
    assert RegistrySettings().forwarded_allow_ips == ()


def test_a_proxy_that_is_named_says_where_a_request_came_from_and_no_answer_names_the_server() -> None:
    store = MemoryStore()
    with registry(store, settings=RegistrySettings(forwarded_allow_ips=("127.0.0.1",))) as url:
        answer = asked("POST", f"{url}/subjects/s/versions", json=INT, headers={"X-Forwarded-For": "6.6.6.6"})
    assert [entry.source_ip for _, entry in store.audit()] == ["6.6.6.6"]
    assert "server" not in answer.headers
