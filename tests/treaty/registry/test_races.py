"""Many writers at once: one id for one content, one winner among rivals, nothing lost, nothing dangling."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from tests.parts.waiting import wait_until
from tests.treaty.registry.asking import asking

THREADS = 32
SERVE = (
    "import sys; from treaty.registry import RegistrySettings, serve; "
    "sys.exit(serve(RegistrySettings(port=int(sys.argv[1]), database=sys.argv[2], migrate=True)))"
)


def record(*fields: str, kind: str = "string") -> str:
    return json.dumps(
        {"type": "record", "name": "T", "fields": [{"name": field, "type": kind} for field in fields]},
        separators=(",", ":"),
    )


def at_once(count: int, call: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    """Call from many threads at the same time."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(call, range(count)))


def register(client: httpx.Client, subject: str, text: str) -> httpx.Response:
    return settled(lambda: client.post(f"/subjects/{subject}/versions", json={"schema": text}))


def settled(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """The answer to who asks again when put off: whoever waits five seconds for the database is, as on a busy machine."""
    return wait_until(lambda: None if (answer := ask()).status_code == 503 else answer)


def test_the_same_schema_gets_one_id_and_one_version(client: httpx.Client) -> None:
    answers = at_once(THREADS, lambda _: register(client, "s", record("a")))
    assert {(answer.status_code, answer.json()["id"]) for answer in answers} == {(200, 1)}
    assert client.get("/subjects/s/versions").json() == [1]


def test_the_same_schema_in_many_subjects_gets_one_id(client: httpx.Client) -> None:
    answers = at_once(THREADS, lambda number: register(client, f"s{number}", record("a")))
    assert {(answer.status_code, answer.json()["id"]) for answer in answers} == {(200, 1)}
    assert len(client.get("/schemas/ids/1/versions").json()) == THREADS


def test_of_rivals_one_is_let_in(client: httpx.Client) -> None:
    answers = at_once(THREADS, lambda number: register(client, "s", record(f"f{number}")))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * (THREADS - 1)
    assert client.get("/subjects/s/versions").json() == [1]


def test_ids_of_many_schemas_are_dense(client: httpx.Client) -> None:
    answers = at_once(THREADS, lambda number: register(client, f"s{number}", record(f"f{number}")))
    assert sorted(answer.json()["id"] for answer in answers) == list(range(1, THREADS + 1))


def test_a_referrer_and_the_delete_of_its_target_do_not_both_succeed(client: httpx.Client) -> None:
    for round_number in range(10):
        target, referrer = f"t{round_number}", f"r{round_number}"
        register(client, target, record("a"))
        body = {
            "schema": json.dumps({"type": "record", "name": "R", "fields": [{"name": "t", "type": "T"}]}),
            "references": [{"name": "T", "subject": target, "version": 1}],
        }

        def either(number: int, target: str = target, referrer: str = referrer, body: object = body) -> httpx.Response:
            if number:
                return settled(lambda: client.delete(f"/subjects/{target}"))
            return settled(lambda: client.post(f"/subjects/{referrer}/versions", json=body))

        statuses = [answer.status_code for answer in at_once(2, either)]
        assert statuses in ([200, 422], [422, 200]), statuses


def test_nothing_registers_after_read_only_has_answered(client: httpx.Client) -> None:
    def either(number: int) -> httpx.Response:
        if number == THREADS // 2:
            answer = settled(lambda: client.put("/mode", json={"mode": "READONLY"}))
            answer.extensions["versions"] = len(client.get("/schemas?subjectPrefix=:*:").json())
            return answer
        return register(client, f"s{number}", record(f"f{number}"))

    answers = at_once(THREADS, either)
    seen = next(answer.extensions["versions"] for answer in answers if "versions" in answer.extensions)
    assert len(client.get("/schemas?subjectPrefix=:*:").json()) == seen


@contextmanager
def serving(database: str, port: int) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """A registry in a process of its own."""
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(port), database], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        assert line.startswith("treaty registry listens on "), line + process.stderr.read()
        with asking(f"http://127.0.0.1:{port}") as client:
            yield process, client
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stderr.close()


@pytest.mark.chaos
def test_two_processes_on_one_database_act_as_one(database: str, port: int) -> None:
    from treaty.local.ports import free_port

    with serving(database, port) as (_, one), serving(database, free_port()) as (_, two):
        clients = (one, two)
        answers = at_once(THREADS, lambda number: register(clients[number % 2], "s", record("a")))
        assert {(answer.status_code, answer.json()["id"]) for answer in answers} == {(200, 1)}
        answers = at_once(THREADS, lambda number: register(clients[number % 2], f"s{number}", record(f"f{number}")))
        assert sorted(answer.json()["id"] for answer in answers) == list(range(2, THREADS + 2))
        assert settled(lambda: one.put("/config/many", json={"compatibility": "NONE"})).status_code == 200
        answers = at_once(50, lambda number: register(clients[number % 2], "many", record(f"g{number}")))
        assert sorted(answer.json()["version"] for answer in answers) == list(range(1, 51)), "no gap and no repeat"
        numbered = {answer.json()["version"]: answer.json()["id"] for answer in answers}
        assert one.get("/subjects/many/versions").json() == sorted(numbered)
        assert {n: two.get(f"/subjects/many/versions/{n}").json()["id"] for n in numbered} == numbered
        assert settled(lambda: one.put("/mode", json={"mode": "READONLY"})).status_code == 200
        assert register(two, "late", record("late")).status_code == 422


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_sigterm_ends_the_process_with_zero(tmp_path: object, port: int) -> None:
    with serving(f"sqlite:///{tmp_path}/r.db", port) as (process, client):
        assert client.get("/readyz").json() == {"database": "ok", "migrations": "ok"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
