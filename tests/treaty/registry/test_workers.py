"""Several processes behind one port: any of them may die, all of them end together, and their metrics add up."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.parts.waiting import wait_until
from tests.treaty.registry.asking import asked
from tests.treaty.registry.people import bearer
from tests.treaty.registry.running import children, running
from treaty.registry.errors import StartRefused
from treaty.registry.settings import RegistrySettings
from treaty.registry.stores.sql.store import open_store

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc"),
]


def is_gone(pid: int) -> bool:
    with suppress(OSError):
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return True


def workers_of(pid: int, *, without: int = 0) -> list[int]:
    """The two workers of a server, once there are two and a dead one is none of them."""
    wait_until(lambda: len(found := children(pid)) == 2 and without not in found)
    return children(pid)


def answers(url: str) -> bool:
    with suppress(httpx.HTTPError):
        return asked("GET", f"{url}/readyz").status_code == 200
    return False


def test_a_killed_worker_is_replaced_and_others_answer_meanwhile(database: str) -> None:
    with running(database=database, workers=2, migrate=True) as (process, port):
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(url))
        first = workers_of(process.pid)
        assert asked("POST", f"{url}/subjects/s/versions", json={"schema": '"int"'}).json()["id"] == 1
        os.kill(first[0], signal.SIGKILL)
        assert wait_until(lambda: answers(url))
        now = workers_of(process.pid, without=first[0])
        assert first[1] in now
        assert asked("GET", f"{url}/schemas/ids/1").json()["schema"] == '"int"'
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
        wait_until(lambda: all(map(is_gone, now)))


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    with running(database=f"sqlite:///{tmp_path}/r.db", workers=2) as (process, port):
        wait_until(lambda: answers(f"http://127.0.0.1:{port}"))
        workers = workers_of(process.pid)
        process.kill()
        process.wait()
        wait_until(lambda: all(map(is_gone, workers)))


def test_metrics_of_all_workers_add_up(tmp_path: Path) -> None:
    with running(database=f"sqlite:///{tmp_path}/r.db", workers=2) as (_, port):
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(url))
        for _ in range(20):  # each on a connection of its own, so that both processes get some
            assert asked("GET", f"{url}/subjects").status_code == 200
        counted = 'schema_registry_http_requests_total{code="200",method="GET",route="/subjects"} 20.0'
        wait_until(lambda: counted in asked("GET", f"{url}/metrics").text)
        assert "\nschema_registry_subjects 0.0\n" in asked("GET", f"{url}/metrics").text


def test_what_one_worker_is_told_all_know_a_second_later(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/r.db"
    store = open_store(database, migrate=False)
    headers = bearer(store, "ann", ("admin", "*"))
    with running(database=database, workers=2) as (_, port):
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(url))
        assert {asked("GET", f"{url}/subjects", headers=headers).status_code for _ in range(10)} == {200}
        with store.roster() as roster:
            roster.remove_user("ann")
        wait_until(lambda: {asked("GET", f"{url}/subjects", headers=headers).status_code for _ in range(10)} == {401})
    store.close()


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"workers": 2, "database": "memory:"}])
def test_workers_that_could_not_share_anything_are_refused(wrong: dict[str, int | str]) -> None:
    with pytest.raises(StartRefused, match="need a database that they share"):
        RegistrySettings(**wrong).require_sense()  # type: ignore[arg-type]  # keys are names of settings
