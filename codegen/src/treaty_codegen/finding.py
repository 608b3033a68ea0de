"""What a check says: one value, printed by many printers (``render``)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal


class Severity(StrEnum):
    """How much a finding weighs: errors end a check with exit code 1."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A place in a file, relative to the project; lines and columns count code points from 1, ``pointer`` is RFC 6901."""

    path: str
    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 1
    pointer: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence as template and arguments, so that it can be printed in another language. Arguments are plain texts."""

    template: str
    arguments: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.template.format_map(self.arguments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A value that shows the damage: ``writer`` puts ``value`` as ``hex``, ``reader`` sees ``read_as`` or fails with ``error``.

    ``python``: what this project's own codec makes of the same bytes, where that differs: it converts or refuses, so that a test in
    Python alone would hide the damage.
    """

    value: str
    hex: str
    writer: str
    reader: str
    read_as: str | None = None
    error: str | None = None
    python: str | None = None

    def __str__(self) -> str:
        result = f"read as {self.read_as}" if self.error is None else f"not readable: {self.error}"
        return f"{self.value} → bytes {self.hex or 'none'} → {result}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A line of a service that reads what a finding is about; with ``why``: one after which nobody can say whether it does.

    ``exhaustive``: it matches every symbol or branch that there is, and has no way for another one.
    """

    service: str
    file: str
    line: int
    why: str | None = None
    exhaustive: bool = False

    def __str__(self) -> str:
        more = f" (unknown: {self.why})" if self.why else " (matches all there is)" if self.exhaustive else ""
        return f"{self.service} {self.file}:{self.line}{more}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One step of a JSON Patch: ``add`` and ``replace`` put ``value`` at ``path``, ``move`` puts there what stands at ``from_``.

    Source: RFC 6902.
    """

    op: Literal["add", "remove", "replace", "move"]
    path: str
    value: Any = None
    from_: str = ""

    def as_json(self) -> dict[str, Any]:
        """The step as JSON Patch writes it."""
        more = {"from": self.from_} if self.op == "move" else {} if self.op == "remove" else {"value": self.value}
        return {"op": self.op, "path": self.path, **more}


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A stretch of a file's text (lines and columns as in ``Location``; the end is the first column after it) and what replaces it."""

    line: int
    column: int
    end_line: int
    end_column: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """What would mend a finding without changing a meaning: ``operations`` on the JSON of the file, the same as ``edits`` of its
    text; or another name for the file (``rename_to``). Paths are relative to the project.
    """

    path: str
    operations: tuple[Operation, ...] = ()
    edits: tuple[Edit, ...] = ()
    rename_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing a check has to say. ``fingerprint`` stays the same when lines move: it hashes names, not places.

    ``waived``: who accepted it and why; it is a remark then.
    """

    rule: str
    severity: Severity
    category: str
    at: Location
    message: Text
    fingerprint: str
    help: Text | None = None
    event: str | None = None
    subject: str | None = None
    against: str | None = None
    affects: tuple[str, ...] = ()
    proof: Proof | None = None
    readers: tuple[Reader, ...] = ()
    fix: Fix | None = None
    waived: Text | None = None


def fingerprint(rule: str, *names: str) -> str:
    """16 hex digits of SHA-256 over the rule and the names of what it is about (event, path by names, before, after)."""
    return hashlib.sha256("\0".join((rule, *names)).encode()).hexdigest()[:16]
