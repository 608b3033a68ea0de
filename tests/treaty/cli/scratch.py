"""A project of its own in a folder, and the real command run in it as a process."""

from __future__ import annotations

import atexit
import functools
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.treaty.cli.forked import STARTS_ANEW, Forks

EVENT: dict[str, Any] = {
    "type": "record",
    "namespace": "mall.order",
    "name": "OrderPaid",
    "doc": "An order was paid in full.",
    "fields": [
        {"name": "order_id", "type": "long", "doc": "Number of the order, unique for ever."},
        {"name": "note", "type": ["null", "string"], "default": None, "doc": "For people."},
    ],
}
TOPICS = """format = 1

[topic."order-events"]
doc = "The life of an order."
owner = "@mall/orders"
key = "order_id"
events = ["mall.order.OrderPaid"]
producers = ["order"]
"""


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Scratch:
    """A project folder. ``run`` calls ``treaty`` there in a process of its own, without this run's own settings."""

    root: Path

    def write(self, path: str, content: str | bytes | Mapping[str, Any]) -> Path:
        """Write a file below the project; a mapping is written as JSON, one member a line."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.write_text(content if isinstance(content, str) else json.dumps(content, indent=2), encoding="utf-8")
        return file

    def run(self, *words: str, cwd: Path | None = None, **env: str) -> Done:
        """The command, forked where that is the same as a start (`forked`)."""
        if sys.platform != "linux" or any(name.startswith(STARTS_ANEW) for name in env):
            return process([sys.executable, "-m", "treaty", *words], cwd or self.root, env)
        code, out, err = _forks().run(list(words), cwd=cwd or self.root, env={**_kept(), **env})
        return Done(code, out.decode(), err.decode())

    def script(self, *words: str, **env: str) -> Done:
        """The installed command ``treaty`` itself, as a new interpreter: it does not look for modules in the folder."""
        return process([str(Path(sys.executable).parent / "treaty"), *words], self.root, env)

    def git(self, *words: str) -> str:
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main")
        done = subprocess.run(["git", *identity, *words], cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self) -> str:
        """Commit everything; returns the hash."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change")
        return self.git("rev-parse", "HEAD")


@functools.cache
def _forks() -> Forks:
    forks = Forks()
    atexit.register(forks.end)
    return forks


def _kept() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TREATY_", "GITHUB_", "GIT_", "CI"))}
    return {**kept, "TREATY_CHECKS__CACHE": "false"}  # else a test would be told what another run found


def process(words: list[str], cwd: Path, env: Mapping[str, str]) -> Done:
    """A new process of any program, in a folder."""
    done = subprocess.run(words, cwd=cwd, env={**_kept(), **env}, capture_output=True, timeout=180, check=False)
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def project(root: Path, *, toml: str = "", event: Mapping[str, Any] = EVENT, topics: str = TOPICS) -> Scratch:
    """A project with one event and one topic; ``toml`` is added to its ``treaty.toml``."""
    scratch = Scratch(root)
    scratch.write("treaty.toml", f'[project]\nnamespace = "mall"\n{toml}')
    scratch.write("schemas/order/order_paid.avsc", event)
    scratch.write("schemas/topics.toml", topics)
    return scratch


def changed(**replaced: Any) -> dict[str, Any]:
    """The event with other types for its fields; None takes a field away, a new name adds one without default."""
    fields = [
        field | ({"type": replaced[field["name"]]} if field["name"] in replaced else {}) for field in EVENT["fields"]
    ]
    known = {field["name"] for field in EVENT["fields"]}
    more = [
        {"name": name, "type": type_, "doc": "More of it."} for name, type_ in replaced.items() if name not in known
    ]
    return EVENT | {"fields": [field for field in fields if field["type"] is not None] + more}
