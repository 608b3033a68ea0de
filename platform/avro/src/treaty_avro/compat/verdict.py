"""Whether a new version may follow a history of versions, at one of Confluent's seven levels.

Laws: the plain levels look at the newest version only; the transitive ones go from newest to oldest and stop at the
first that fails; an empty history allows everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from treaty_avro.compat.checker import Incompatibility, incompatibilities
from treaty_avro.errors import AmbiguousField
from treaty_avro.schema.schema import Schema

Level: TypeAlias = Literal[
    "NONE",
    "BACKWARD",
    "BACKWARD_TRANSITIVE",
    "FORWARD",
    "FORWARD_TRANSITIVE",
    "FULL",
    "FULL_TRANSITIVE",
]
"""BACKWARD: the new schema reads old data. FORWARD: old schemas read new data. FULL: both."""

Direction: TypeAlias = Literal["backward", "forward"]


@dataclass(frozen=True, slots=True)
class Version:
    """A schema with its number in its subject (None: unknown) and the text that messages show."""

    number: int | None
    schema: Schema
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason against a version: an incompatibility, or the error that ended the comparison."""

    direction: Direction
    incompatibility: Incompatibility | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome; ``against`` is the version that failed, None if none did. FULL lists forward, then backward."""

    level: Level
    against: Version | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def is_compatible(self) -> bool:
        """Whether the new version may follow."""
        return not self.findings


def check(new: Version, history: Sequence[Version], level: Level) -> Verdict:
    """Judge a new version against a history, oldest first; raises ``SchemaLimit`` as ``incompatibilities`` does."""
    if level == "NONE":
        return Verdict(level)
    directions = _directions(level)
    for old in reversed(history if level.endswith("_TRANSITIVE") else history[-1:]):
        findings = tuple(finding for direction in directions for finding in _findings(new, old, direction))
        if findings:
            return Verdict(level, old, findings)
    return Verdict(level)


def _directions(level: Level) -> tuple[Direction, ...]:
    if level.startswith("FULL"):
        return ("forward", "backward")
    return ("forward",) if level.startswith("FORWARD") else ("backward",)


def _findings(new: Version, old: Version, direction: Direction) -> list[Finding]:
    reader, writer = (new, old) if direction == "backward" else (old, new)
    try:
        return [Finding(direction, each) for each in incompatibilities(reader.schema, writer.schema)]
    except AmbiguousField as error:
        return [Finding(direction, error=str(error))]
