"""Which number of a version goes up: of each event's contract, and of the whole set with its SDK."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from treaty_avro import parse
from treaty_codegen.diff import Change, diff, is_same_json
from treaty_codegen.finding import Finding, Severity
from treaty_codegen.old_set import OldEvent, OldSet

FIRST = "1.0.0"
"""The contract version of an event at its first release."""


class Bump(IntEnum):
    """How much changed; the larger includes the smaller."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Contracts:
    """The contract version of each event of the new set, and how much the set itself changed."""

    versions: Mapping[str, str]
    bump: Bump


def contracts(now: OldSet, last: OldSet | None, findings: Iterable[Finding]) -> Contracts:
    """``findings`` are those of ``breaking`` against ``last``, before any waiver.

    An event: MAJOR for an error about wire or meaning, MINOR for any other change of structure, PATCH for words and tags. The
    set: MAJOR for any MAJOR, an event that went or an error about source; MINOR for a new event or any MINOR; else PATCH.
    """
    errors = [row for row in findings if row.severity is Severity.ERROR]
    before: Mapping[str, OldEvent] = last.events if last is not None else {}
    versions, bumps = dict[str, str](), [Bump.NONE]
    for name, event in now.events.items():
        old = before.get(name)
        if old is None:
            versions[name] = FIRST
            bumps.append(Bump.MINOR)
            continue
        own = [row for row in errors if name in row.affects and row.category in {"wire", "meaning"}]
        bump = Bump.MAJOR if own else change_of(old.text, event.text)
        versions[name] = raised(old.contract or FIRST, bump)
        bumps.append(bump)
    if set(before) - set(now.events) or any(row.category == "source" for row in errors):
        bumps.append(Bump.MAJOR)
    return Contracts(versions=versions, bump=max(bumps))


def change_of(before: str, after: str) -> Bump:
    """How much two texts of one event differ, if nothing breaks."""
    if before == after:
        return Bump.NONE
    old, new = (parse(text, rules="stored") for text in (before, after))
    changes = diff(old.root, new.root)
    return Bump.MINOR if any(is_structural(change) for change in changes) else Bump.PATCH


def is_structural(change: Change) -> bool:
    """Whether a change is more than words and tags."""
    if change.kind == "doc-changed":
        return False
    if change.kind != "field-changed" or change.old_field is None or change.new_field is None:
        return True
    return not is_same_json(change.old_field.default, change.new_field.default)


def raised(version: str, bump: Bump) -> str:
    """The next version: ``1.4.2`` and MINOR give ``1.5.0``; NONE leaves it."""
    major, minor, patch = (int(part) for part in version.split("."))
    match bump:
        case Bump.MAJOR:
            return f"{major + 1}.0.0"
        case Bump.MINOR:
            return f"{major}.{minor + 1}.0"
        case Bump.PATCH:
            return f"{major}.{minor}.{patch + 1}"
        case Bump.NONE:
            return version
