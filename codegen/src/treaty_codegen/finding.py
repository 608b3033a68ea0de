"""What a check says: one value, printed by many printers (``render``)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


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
    """A value that shows the damage: ``writer`` puts ``value`` as ``hex``, ``reader`` sees ``read_as`` or fails with ``error``."""

    value: str
    hex: str
    writer: str
    reader: str
    read_as: str | None = None
    error: str | None = None

    def __str__(self) -> str:
        result = f"read as {self.read_as}" if self.error is None else f"not readable: {self.error}"
        return f"{self.value} → bytes {self.hex or 'none'} → {result}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A line of a service that reads what a finding is about; with ``why``: one after which nobody can say whether it does."""

    service: str
    file: str
    line: int
    why: str | None = None

    def __str__(self) -> str:
        return f"{self.service} {self.file}:{self.line}" + (f" (unknown: {self.why})" if self.why else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing a check has to say. ``fingerprint`` stays the same when lines move: it hashes names, not places."""

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


def fingerprint(rule: str, *names: str) -> str:
    """16 hex digits of SHA-256 over the rule and the names of what it is about (event, path by names, before, after)."""
    return hashlib.sha256("\0".join((rule, *names)).encode()).hexdigest()[:16]
