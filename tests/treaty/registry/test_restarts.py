"""What a registry does not forget when its process ends: by its own hand, by somebody else's, in the middle of anything."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.parts.waiting import wait_until
from tests.treaty.registry.test_races import record, register, serving
from treaty.registry.stores.sql.store import open_store
from treaty.registry.testing import registry

KILLS = int(os.environ.get("TREATY_TEST_KILLS", "3"))
"""How often the process is killed; 200 for the figure in ``docs/registry/evidence.md``."""
WRITERS = 4
AT_LEAST = 8
"""Registrations acknowledged between two kills."""


def test_an_id_that_was_deleted_for_good_does_not_come_again_after_a_restart(database: str) -> None:
    for subject, wanted in (("first", 1), ("second", 2), ("third", 3)):
        with registry(open_store(database, migrate=True)) as url, httpx.Client(base_url=url, timeout=30) as client:
            assert register(client, subject, record(subject)).json()["id"] == wanted
            for permanent in ("false", "true"):
                assert client.delete(f"/subjects/{subject}?permanent={permanent}").status_code == 200
            assert client.get("/schemas?subjectPrefix=:*:&deleted=true").json() == []


@pytest.mark.chaos
@pytest.mark.timeout(3000)
def test_acknowledged_ids_outlive_every_kill_9_and_answer_four_ways(database: str, port: int) -> None:
    acknowledged: dict[str, int] = {}
    for kill in range(KILLS):
        with serving(database, port) as (process, client), ThreadPoolExecutor(WRITERS) as pool:
            before = len(acknowledged)
            working = [
                pool.submit(keep_registering, client, f"s_{kill}_{each}", acknowledged) for each in range(WRITERS)
            ]
            wait_until(lambda before=before: len(acknowledged) >= before + AT_LEAST)  # type: ignore[misc]  # a default binds it now
            os.kill(process.pid, signal.SIGKILL)
            for each in working:
                each.result()
    with serving(database, port) as (_, client):
        for subject, schema_id in acknowledged.items():
            assert answers(client, subject) == [schema_id] * 4, subject
        ids = [row["id"] for row in pages(client)]
        assert len(set(ids)) == len(ids), "every text was another one"
        assert sorted(ids) == list(range(1, len(ids) + 1)), "what was killed left no gap"


def keep_registering(client: httpx.Client, prefix: str, acknowledged: dict[str, int]) -> None:
    """Registers a text after the other until the registry is gone."""
    for number in range(100_000):
        subject = f"{prefix}_{number}"
        try:
            answer = register(client, subject, record(subject))
        except httpx.TransportError:
            return
        assert answer.status_code == 200, answer.text
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
