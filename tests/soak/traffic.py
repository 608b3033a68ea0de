"""Mixed requests of one client: what real clients do, in their proportions, and checks of every answer."""

from __future__ import annotations

import http.client
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.soak.ledger import Ledger

UNAVAILABLE = 503


def text_of(number: int) -> str:
    """A schema that nobody else registers, in its canonical form."""
    return f'{{"type":"record","name":"R{number}","fields":[{{"name":"f","type":"string"}}]}}'


class Line:
    """One client's connection; a broken one is opened again for the next question."""

    def __init__(self, port: int, headers: Mapping[str, str]) -> None:
        self._port, self._headers = port, {**headers, "Content-Type": "application/json"}
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any, Mapping[str, str]] | None:
        """Status, JSON and headers of the answer; None if the connection broke: then nobody knows what happened."""
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        sent = None if body is None else json.dumps(body)
        try:
            self._connection.request(method, path, sent, dict(self._headers))
            answer = self._connection.getresponse()
            raw = answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            self._connection = None
            return None
        if answer.will_close:
            self._connection.close()
            self._connection = None
        return answer.status, json.loads(raw) if raw else None, {k.lower(): v for k, v in answer.getheaders()}


@dataclass
class Client:
    """A client with subjects of its own for what it deletes; ``number`` tells it from the others."""

    number: int
    line: Line
    ledger: Ledger
    chance: random.Random
    made: int = 0
    scratch: int = 0

    def step(self) -> None:
        """One request, chosen as the proportions say."""
        (kind,) = self.chance.choices(list(KINDS), weights=list(KINDS.values()))
        getattr(self, kind)()

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any] | None:
        """One request that is counted; what breaks the rules of refusing is blamed."""
        answer = self.line.ask(method, path, body)
        self.ledger.count("requests")
        if answer is None:
            self.ledger.count("broken connection")
            return None
        status, value, headers = answer
        self.ledger.count(str(status))
        if status >= 500 and (status != UNAVAILABLE or "retry-after" not in headers):
            self.ledger.blame(f"{method} {path} answered {status}: {value}")
        return None if status >= 500 else (status, value)

    def by_id(self) -> None:
        """A consumer reads the schema of a record."""
        if known := self.ledger.some(self.chance):
            _, _, schema_id, text = known
            self._expect(self.ask("GET", f"/schemas/ids/{schema_id}"), "GET by id", schema=text)

    def latest(self) -> None:
        """A producer asks for a version."""
        if known := self.ledger.some(self.chance):
            subject, version, schema_id, text = known
            path = f"/subjects/{subject}/versions/{version}"
            self._expect(self.ask("GET", path), path, id=schema_id, schema=text, version=version)

    def again(self) -> None:
        """A producer starts and registers what is there."""
        if known := self.ledger.some(self.chance):
            subject, version, schema_id, text = known
            answer = self.ask("POST", f"/subjects/{subject}/versions", {"schema": text})
            self._expect(answer, "register again", id=schema_id, version=version)

    def look_up(self) -> None:
        """A producer that may not register looks its schema up."""
        if known := self.ledger.some(self.chance):
            subject, version, schema_id, text = known
            answer = self.ask("POST", f"/subjects/{subject}", {"schema": text})
            self._expect(answer, "lookup", id=schema_id, version=version)

    def new(self) -> None:
        """A new event type, or a new version of a shared subject that checks nothing."""
        self.made += 1
        text = text_of(self.number * 10_000_000 + self.made)
        self._register(f"shared-{self.chance.randrange(50)}", text, is_kept=True)

    def elsewhere(self) -> None:
        """A schema that is known already comes into another subject."""
        if known := self.ledger.some(self.chance):
            self._register(f"shared-{self.chance.randrange(50)}", known[3], is_kept=True)

    def check(self) -> None:
        """A pull request asks whether it would break somebody."""
        if known := self.ledger.some(self.chance):
            path = f"/compatibility/subjects/{known[0]}/versions"
            self._expect(self.ask("POST", path, {"schema": '"int"'}), path, is_compatible=True)

    def config(self) -> None:
        """Somebody sets a level on a subject of their own."""
        subject = f"config-{self.number}"
        level = self.chance.choice(["NONE", "FULL", "BACKWARD"])
        answer = self.ask("PUT", f"/config/{subject}", {"compatibility": level})
        if answer is not None:
            self._expect(answer, "PUT config", compatibility=level)
            self._expect(self.ask("GET", f"/config/{subject}"), "GET config", compatibilityLevel=level)

    def listed(self) -> None:
        """Somebody looks around."""
        self.ask("GET", "/subjects?limit=20")

    def thrown_away(self) -> None:
        """A subject is registered, deleted, and deleted for good: its id must never come again."""
        subject = f"scratch-{self.number}-{self.scratch}"
        self.scratch += 1
        self.made += 1
        text = text_of(self.number * 10_000_000 + self.made)
        if not self._register(subject, text, is_kept=False):
            return
        self.ledger.forget(subject)
        if self.ask("DELETE", f"/subjects/{subject}") is not None:
            self.ask("DELETE", f"/subjects/{subject}?permanent=true")

    def _register(self, subject: str, text: str, *, is_kept: bool) -> bool:
        answer = self.ask("POST", f"/subjects/{subject}/versions", {"schema": text})
        if answer is None:
            return False
        status, body = answer
        if status != 200:
            self.ledger.blame(f"register in {subject} answered {status}: {body}")
            return False
        self.ledger.acknowledge(subject, body["version"], body["id"], text, is_kept=is_kept)
        self.ledger.count("acknowledged")
        return True

    def _expect(self, answer: tuple[int, Any] | None, what: str, **members: object) -> None:
        if answer is None:
            return
        status, body = answer
        found = {key: body.get(key) for key in members} if status == 200 else body
        if status != 200 or found != members:
            self.ledger.blame(f"{what}: expected {members}, got {status} {found}")


KINDS = {
    "by_id": 45, "latest": 12, "again": 10, "look_up": 5, "new": 12, "elsewhere": 3, "check": 8, "config": 1,
    "listed": 2, "thrown_away": 2,
}  # fmt: skip
"""What clients do, by how often. ``config`` and ``thrown_away`` are several requests."""
