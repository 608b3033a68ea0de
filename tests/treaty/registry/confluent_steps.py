"""Confluent's REST tests as data: reading the files of ``compat-tests/rest-api-tests`` and sending their steps.

The form of a file is told in its folder's README.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

STEP = re.compile(r"(?P<method>[A-Z]+) (?P<path>\S+)(?: (?P<body>\{.*\}))? -> (?P<status>\d{3})(?: (?P<wanted>.+))?")
NAME = re.compile(r"\$(\w+)")
BOUND = re.compile(r"<\w+:\w+>")


@dataclass(frozen=True)
class RestTest:
    """One of Confluent's tests: its class, its name, its lines with their numbers."""

    file: Path
    name: str
    lines: tuple[tuple[int, str], ...]

    @property
    def id(self) -> str:
        """How the test is called in reports."""
        return f"{self.file.stem}.{self.name}"


def read(file: Path) -> Iterator[RestTest]:
    """The tests of a file; the lines before the first open each of them."""
    opening: list[tuple[int, str]] = []
    name, lines = "", opening
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("== "):
            if name:
                yield RestTest(file, name, tuple(lines))
            name, lines = line[3:], list(opening)
        elif line and not line.startswith("#"):
            lines.append((number, line))
    yield RestTest(file, name, tuple(lines))


@dataclass
class Replay:
    """A test being sent to a registry; texts by name, and what answers have bound."""

    client: httpx2.Client
    texts: dict[str, str] = field(default_factory=dict)
    bound: dict[str, Any] = field(default_factory=dict)

    def play(self, test: RestTest) -> None:
        """Send every step; fails with the file's line."""
        for number, line in test.lines:
            place = f"{test.file.name}:{number}: {line}"
            if line.startswith("let "):
                name, _, text = line[4:].partition(" = ")
                self.texts[name] = json.dumps(json.loads(text), separators=(",", ":"))
            elif line.startswith("verify "):
                self.verify(line, place)
            else:
                self.step(line, place)

    def verify(self, line: str, place: str) -> None:
        """Register a text and read it back by its id."""
        _, subject, name, number = line.split()
        self.step(f'POST /subjects/{subject}/versions {{"schema": {name}}} -> 200 {{"id": {number}}}', place)
        self.step(f'GET /schemas/ids/{number}?subject={subject} -> 200 {{"schema": {name}}}', place)

    def step(self, line: str, place: str) -> None:
        """One request and its answer."""
        match = STEP.fullmatch(line)
        assert match is not None, f"not a step: {place}"
        path = BOUND.sub(lambda found: str(self.bound[found[0]]), match["path"])
        content = None if match["body"] is None else self.filled(match["body"]).encode()
        headers = {"Content-Type": "application/vnd.schemaregistry.v1+json"} if content else {}
        response = self.client.request(match["method"], path, content=content, headers=headers)
        told = f"{place}\n{response.status_code} {response.text}"
        assert response.status_code == int(match["status"]), told
        wanted = match["wanted"]
        if wanted is None:
            return
        if wanted.startswith("$"):
            assert response.text == json.loads(self.filled(wanted)), told
        elif response.status_code >= 400 and wanted.isdigit():
            assert response.json()["error_code"] == int(wanted), told
        else:
            assert self.fits(json.loads(self.filled(wanted)), response.json()), told

    def filled(self, text: str) -> str:
        """The text with each ``$NAME`` as a JSON string."""
        return NAME.sub(lambda found: json.dumps(self.text_of(found[1])), text)

    def text_of(self, name: str) -> str:
        """The schema of that name; of a number, a record like no other."""
        if not name.isdigit():
            return self.texts[name]
        return f'{{"type":"record","name":"myrecord","fields":[{{"name":"f{name}","type":"string"}}]}}'

    def fits(self, wanted: Any, actual: Any) -> bool:
        """True if the answer says at least what is wanted."""
        match wanted:
            case "<any>":
                return actual is not None
            case str() if BOUND.fullmatch(wanted):
                return bool(self.bound.setdefault(wanted, actual) == actual)
            case str() if wanted.startswith("~"):
                return wanted[1:] in actual
            case dict():
                return isinstance(actual, dict) and all(self.fits(wanted[key], actual.get(key)) for key in wanted)
            case list():
                return len(wanted) == len(actual) and all(map(self.fits, wanted, actual))
        return bool(wanted == actual)
