"""What a registry does not forget when its process ends: by its own hand, by somebody else's, in the middle of anything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import httpx
import pytest

from tests.parts.waiting import wait_until
from tests.treaty.registry.asking import asking
from tests.treaty.registry.test_races import record, register, serving
from treaty.registry.stores.sql.store import open_store
from treaty.registry.testing import registry

KILLS = int(os.environ.get("TREATY_TEST_KILLS", "3"))
"""How often the process is killed; 200 for the figure in ``docs/registry/evidence.md``."""
WRITERS = 4
AT_LEAST = 8
"""Registrations acknowledged between two kills."""
MOTHER = """
import os, sys
import treaty.registry.process.server, treaty.registry.stores.sql.store
from treaty.registry import RegistrySettings, serve
for _ in sys.stdin:
    pid = os.fork()
    if pid == 0:
        os._exit(serve(RegistrySettings(port=int(sys.argv[2]), database=sys.argv[1], migrate=True)))
    print(pid, flush=True)
    os.waitpid(pid, 0)
"""


def test_an_id_that_was_deleted_for_good_does_not_come_again_after_a_restart(database: str) -> None:
    for subject, wanted in (("first", 1), ("second", 2), ("third", 3)):
        with registry(open_store(database, migrate=True)) as url, asking(url) as client:
            assert register(client, subject, record(subject)).json()["id"] == wanted
            for permanent in ("false", "true"):
                assert client.delete(f"/subjects/{subject}?permanent={permanent}").status_code == 200
            assert client.get("/schemas?subjectPrefix=:*:&deleted=true").json() == []


@pytest.mark.chaos
@pytest.mark.timeout(max(3000, 25 * KILLS))
def test_acknowledged_ids_outlive_every_kill_9_and_answer_four_ways(database: str, port: int) -> None:
    acknowledged: dict[str, int] = {}
    with births(database, port) as born:
        for kill in range(KILLS):
            kill_while_registering(kill, born(), port, acknowledged)
    with serving(database, port) as (_, client):
        for subject, schema_id in acknowledged.items():
            assert answers(client, subject) == [schema_id] * 4, subject
        ids = [row["id"] for row in pages(client)]
        assert len(set(ids)) == len(ids), "every text was another one"
        assert sorted(ids) == list(range(1, len(ids) + 1)), "what was killed left no gap"


def kill_while_registering(kill: int, pid: int, port: int, acknowledged: dict[str, int]) -> None:
    """Lets several writers register until some more were acknowledged, and then ends the process in whatever it does."""
    before = len(acknowledged)
    with (
        asking(f"http://127.0.0.1:{port}") as client,
        ThreadPoolExecutor(WRITERS) as pool,
    ):
        working = [pool.submit(keep_registering, client, f"s_{kill}_{each}", acknowledged) for each in range(WRITERS)]
        wait_until(lambda: len(acknowledged) >= before + AT_LEAST, deadline=120)
        os.kill(pid, signal.SIGKILL)
        for each in working:
            each.result()


@contextmanager
def births(database: str, port: int) -> Iterator[Callable[[], int]]:
    """Starts registries, each a process of its own that listens when its id is answered; the one before has to be dead.

    They are forks of a process that has read the program already, which a start from nothing does for a second each time.
    """
    alive: list[int] = []
    words = [sys.executable, "-c", MOTHER, database, str(port)]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as mother:

        def born() -> int:
            assert mother.stdin is not None
            assert mother.stdout is not None
            assert mother.stderr is not None
            mother.stdin.write("another\n")
            mother.stdin.flush()
            pid = int(mother.stdout.readline())
            alive.append(pid)
            # What is left of the log of the one before comes first; it may have been killed within a line.
            while "treaty registry listens on " not in (line := mother.stderr.readline()):
                assert line.startswith("{"), line
            return pid

        try:
            yield born
        finally:
            assert mother.stdin is not None
            mother.stdin.close()
            mother.kill()
            for pid in alive[-1:]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def keep_registering(client: httpx.Client, prefix: str, acknowledged: dict[str, int]) -> None:
    """Registers a text after the other until the registry is gone."""
    for number in range(100_000):
        subject = f"{prefix}_{number}"
        try:
            answer = register(client, subject, record(subject))
        except httpx.TransportError:
            return
        # Whoever waits longer than five seconds for the database's lock is put off; nothing is acknowledged then.
        assert answer.status_code in (200, 503), answer.text
        if answer.status_code == 200:
            acknowledged[subject] = answer.json()["id"]


def answers(client: httpx.Client, subject: str) -> list[int]:
    """The id by number, by text, by list of its users, and by registering once more."""
    text = record(subject)
    by_number = client.get(f"/subjects/{subject}/versions/1").json()
    by_id = client.get(f"/schemas/ids/{by_number['id']}").json()
    assert by_id["schema"] == by_number["schema"] == text
    users = client.get(f"/schemas/ids/{by_number['id']}/versions").json()
    return [
        by_number["id"],
        client.post(f"/subjects/{subject}", json={"schema": text}).json()["id"],
        by_number["id"] if users == [{"subject": subject, "version": 1}] else 0,
        register(client, subject, text).json()["id"],
    ]


def pages(client: httpx.Client) -> list[dict[str, int]]:
    """Every version, a thousand at a time."""
    rows: list[dict[str, int]] = []
    while page := client.get("/schemas", params={"limit": 1000, "offset": len(rows)}).json():
        rows += page
    return rows
