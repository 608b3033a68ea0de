"""What a schema does to those who read the versions before it, in the words of ``treaty breaking``.

Avro's verdict says whether bytes can be read; that they are read as something else (another scale, another unit) it does not
see. Both are asked here of the rules that judge a pull request, so that the registry and the command never disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import treaty_avro as avro
from treaty.registry.errors import InvalidSchema
from treaty_codegen import Catalog
from treaty_codegen.breaking import RULES
from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.catalog import SchemaFile, Topic
from treaty_codegen.diff import diff
from treaty_codegen.finding import Finding, Severity
from treaty_codegen.old_set import OldEvent
from treaty_codegen.places import Places

Category = Literal["wire", "meaning"]

MOST_FINDINGS: Final = 100
"""How many findings one answer tells of: each may try hundreds of values."""

PROVEN_LETTERS: Final = 65_536
"""Schemas longer than this together are judged without values that show the damage: to look for them takes minutes there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A finding against one version. ``fails``: who does not read what was meant. ``before``, ``after``: "" where there is none."""

    version: int | None
    finding: Finding
    path: str
    before: str
    after: str
    fails: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """The schema that wants in. ``level``: the subject's. ``every``: all live schemas of the subject, asked for at need."""

    schema: avro.Schema
    level: str
    every: Callable[[], Sequence[avro.Schema]]


def breaks(new: Newcomer, history: Iterable[avro.Version], *, categories: Sequence[Category]) -> Iterator[Told]:
    """What the schema breaks, against the versions that its level asks for, newest first; each cause once for a direction.

    Under ``NONE`` nothing is promised, so only what changes its meaning is told. Raises ``InvalidSchema`` where types of both sides
    meet too deep to be compared.
    """
    rules = [rule for rule in RULES if rule.category in categories]
    directions = [each for each in ("BACKWARD", "FORWARD") if new.level.startswith((each, "FULL"))] or ["NONE"]
    file = SchemaFile(path="", text=new.schema.text, schema=new.schema)
    places = Places(Catalog(files={"": file}))
    told: set[tuple[str, str]] = set()
    for old in history:
        for comparison, direction in _compared(new, old, places, directions):
            for finding in (found for rule in rules for found in _checked(rule.check, comparison)):
                if (finding.fingerprint, direction) not in told:
                    told.add((finding.fingerprint, direction))
                    yield _told(finding, comparison, old.number, direction)


def merged(told: Iterable[Told]) -> list[Told]:
    """The same findings with both directions in one."""
    found: dict[str, Told] = {}
    for each in told:
        before = found.setdefault(each.finding.fingerprint, each)
        found[each.finding.fingerprint] = replace(before, fails=tuple(dict.fromkeys((*before.fails, *each.fails))))
    return list(found.values())


def refusals(new: Newcomer, history: Iterable[avro.Version]) -> list[str]:
    """Why a schema that can be read may still not follow: its changes of meaning, in the form of Confluent's messages.

    Of the newest version that they concern; ``history`` is looked at no further.
    """
    found: list[Told] = []
    for each in breaks(new, history, categories=("meaning",)):
        if found and (each.version != found[0].version or len(found) == MOST_FINDINGS):
            break
        if each.finding.severity is Severity.ERROR:
            found.append(each)
    messages = [
        f"{{errorType:'{each.finding.rule.upper().replace('-', '_')}', description:'{each.finding.message}', "
        f"additionalInfo:'{each.path}'}}"
        for each in merged(found)
    ]
    return [*messages, f"{{oldSchemaVersion: {found[0].version}}}"] if found else []


def _compared(
    new: Newcomer, old: avro.Version, places: Places, directions: Sequence[str]
) -> Iterator[tuple[Comparison, str]]:
    try:
        changes = tuple(diff(old.schema.root, new.schema.root))
    except RecursionError as error:
        raise InvalidSchema(f"its types and those of version {old.number} meet too deep to be compared") from error
    # Only a default that changed is judged by all that ever was.
    defaults = any(change.kind == "field-changed" for change in changes)
    history = tuple(new.every()) if defaults else (old.schema,)
    for direction in directions:
        comparison = Comparison(
            event="",
            topic=Topic(name="", doc="", owner="", events=(), compatibility=direction),
            subject="",
            against=f"version {old.number}",
            old=old.schema,
            new=new.schema,
            old_event=OldEvent(text=old.text),
            key="",
            changes=changes,
            places=places,
            history=history,
            proves=len(old.text) + len(new.schema.text) <= PROVEN_LETTERS,
        )
        yield comparison, direction


def _checked(check: Callable[[Comparison], Iterator[Finding]], comparison: Comparison) -> Iterator[Finding]:
    try:
        yield from check(comparison)
    except RecursionError as error:
        raise InvalidSchema(f"its types and those of {comparison.against} meet too deep to be compared") from error
    except avro.SchemaError as error:
        raise InvalidSchema(error) from error


def _told(finding: Finding, comparison: Comparison, number: int | None, direction: str) -> Told:
    said = finding.message.arguments
    path = said.get("path", "")
    change = next((each for each in comparison.changes if each.path == path), None)
    fails = {
        "BACKWARD": (f"readers of the new schema, on records of version {number}",),
        "FORWARD": (f"readers of version {number}, on records of the new schema",),
    }
    return Told(
        version=number,
        finding=finding,
        path=path,
        before=said.get("before") or (change.before if change is not None else ""),
        after=said.get("after") or (change.after if change is not None else ""),
        fails=fails.get(direction, ("readers of either schema, on records of the other",)),
    )
