"""A database that fails at any single statement, or at the commit: nothing is half written, and the next try works.

Each change is made once to count its statements, and then once for each of them with a database that fails right there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from tests.treaty.registry.asking import asking
from tests.treaty.registry.test_races import record
from treaty.registry.stores.sql.store import open_store
from treaty.registry.testing import registry

MOST_STATEMENTS = 60
REFERRER = '{"type":"record","name":"R","fields":[{"name":"t","type":"T"}]}'


class Gone(Exception):
    """The database's connection broke here."""


@dataclass
class Failpoint:
    """Statements are counted from when this is armed; the one with number ``at`` fails, before it is carried out or after."""

    at: int = -1
    is_after: bool = False
    count: int = -1

    def arm(self, at: int, *, is_after: bool = False) -> None:
        self.at, self.is_after, self.count = at, is_after, 0

    def disarm(self) -> None:
        self.at = self.count = -1

    def before(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if self.count >= 0 and not self.is_after:
            self._fail(statement)

    def after(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if self.count >= 0 and self.is_after:
            self._fail(statement)

    def commit(self, _connection: Any) -> None:
        if self.count >= 0:
            self._fail("COMMIT")

    def _fail(self, statement: str) -> None:
        self.count += 1
        if self.count - 1 == self.at:
            raise OperationalError(statement, None, Gone("the connection broke"))


@contextmanager
def failpoint() -> Iterator[Failpoint]:
    """Listens to every engine of this process."""
    point = Failpoint()
    listeners: dict[str, Callable[..., Any]] = {
        "before_cursor_execute": point.before,
        "after_cursor_execute": point.after,
        "commit": point.commit,
    }
    for name, listener in listeners.items():
        event.listen(Engine, name, listener)
    try:
        yield point
    finally:
        for name, listener in listeners.items():
            event.remove(Engine, name, listener)


Change = Callable[[httpx.Client], httpx.Response]

CHANGES: dict[str, Change] = {
    "register": lambda client: client.post("/subjects/new/versions", json={"schema": record("new")}),
    "register a second version": lambda client: client.post(
        "/subjects/s/versions", json={"schema": '{"type":"record","name":"T","fields":[]}'}
    ),
    "register a referrer": lambda client: client.post(
        "/subjects/r/versions",
        json={"schema": REFERRER, "references": [{"name": "T", "subject": "s", "version": 1}]},
    ),
    "register a known text": lambda client: client.post("/subjects/other/versions", json={"schema": record("a")}),
    "delete a version": lambda client: client.delete("/subjects/s/versions/1"),
    "delete a subject for good": lambda client: client.delete("/subjects/gone?permanent=true"),
    "set a level": lambda client: client.put("/config/s", json={"compatibility": "FULL"}),
    "set a mode": lambda client: client.put("/mode/s", json={"mode": "READONLY"}),
}


@pytest.mark.long
@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("change", CHANGES, ids=lambda name: name.replace(" ", "-"))
def test_a_change_is_made_whole_or_not_at_all_wherever_the_database_fails(
    change: str, is_after: bool, database: str
) -> None:
    with (
        failpoint() as point,
        registry(open_store(database, migrate=True)) as url,
        asking(url) as client,
    ):
        prepare(client)
        before, made = state(client), CHANGES[change]
        for at in range(MOST_STATEMENTS):
            point.arm(at, is_after=is_after)
            answer = made(client)
            is_reached = point.count > at
            point.disarm()
            now = state(client)
            if answer.is_success:
                assert now != before
                break
            assert (answer.status_code, answer.json()["error_code"]) == (503, 50001), answer.text
            assert answer.headers["retry-after"] == "1"
            # What failed while it was asked may have been done all the same, but then wholly: the next try says so.
            assert is_reached
            if now != before:
                break
        else:
            pytest.fail("no try was let through")
        again = made(client)
        assert again.is_success or again.json()["error_code"] in (40401, 40406, 42205), again.text
        assert sound(state(client))


def prepare(client: httpx.Client) -> None:
    """A registry with a subject to change and one to remove."""
    for subject, text in (("s", record("a")), ("gone", record("gone"))):
        client.post(f"/subjects/{subject}/versions", json={"schema": text}).raise_for_status()
    client.delete("/subjects/gone").raise_for_status()


def state(client: httpx.Client) -> dict[str, Any]:
    """Everything that a client can see, and who changed what."""
    rows = client.get("/schemas?subjectPrefix=:*:&deleted=true").json()
    return {
        "versions": rows,
        "ids": {row["id"]: client.get(f"/schemas/ids/{row['id']}").json() for row in rows},
        "config": client.get("/config/s").json(),
        "mode": client.get("/mode/s").json(),
        "changes": [row["action"] for row in client.get("/treaty/v1/audit").json()],
    }


def sound(found: dict[str, Any]) -> bool:
    """Every version has its schema, and no id stands for two texts."""
    texts: dict[int, set[str]] = {}
    for row in found["versions"]:
        assert found["ids"][row["id"]]["schema"] == row["schema"]
        texts.setdefault(row["id"], set()).add(row["schema"])
    return all(len(each) == 1 for each in texts.values())
