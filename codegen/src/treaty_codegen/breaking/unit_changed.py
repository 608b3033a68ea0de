"""unit-changed: the number stays, what it counts does not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from treaty_avro import Array, Field, Map, Primitive, Type, Union
from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.diff import Change
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.proof import prove_unit
from treaty_codegen.rule import Rule

NAME = "unit-changed"

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "time": {
        "nanoseconds": "ns|nanos|nanoseconds?",
        "microseconds": "µs|micros|microseconds?",
        "milliseconds": "ms|millis|milliseconds?",
        "seconds": "s|secs?|seconds",  # "second" alone is more often an ordinal
        "minutes": "minutes?",
        "hours": "h|hours?",
        "days": "days?",
    },
    "money": {
        "fen": "fen",
        "cents": "cents?",
        "yuan": "yuan|CNY|RMB",
        "dollars": "dollars?|USD",
        "euros": "euros?|EUR",
    },
    "share": {"percent": "%|percent", "permille": "‰|permille", "basis points": "bps|basis points"},
    "mass": {"grams": "g|grams?", "kilograms": "kg|kilograms?"},
    "size": {"bytes": "bytes?", "kilobytes": "kB|KiB|kilobytes?", "megabytes": "MB|MiB|megabytes?"},
}
"""Dimension to unit to the words for it in a doc."""


@cache
def patterns(dimension: str) -> Mapping[str, re.Pattern[str]]:
    """Unit to what finds a word for it; made when docs are first compared, for most runs have none that differ."""
    return {
        unit: re.compile(rf"(?<![^\W\d]|['’/-])(?:{words})(?![\w'’/-])") for unit, words in WORDS[dimension].items()
    }


def check(comparison: Comparison) -> Iterator[Finding]:
    """The unit stands in the field's property ``treaty.unit``; a word of its doc is only a hint."""
    told: set[str] = set()
    for change in comparison.changes:
        before, after = unit_of(change.old_field), unit_of(change.new_field)
        if change.kind == "field-changed" and before and before != after:
            told.add(change.path)
            yield by_property(comparison, change, before, after)
        if change.kind == "doc-changed" and change.path not in told and is_number(change.new_field):
            for old, new in words_changed(change.before, change.after):
                yield by_doc(comparison, change, old, new)


def by_property(comparison: Comparison, change: Change, before: str, after: str) -> Finding:
    proof = None
    if change.new is not None:
        proof = comparison.prove(
            prove_unit, change.new, before, after, writer=comparison.against, reader="the new schema"
        )
    return comparison.finding(
        NAME,
        category="meaning",
        severity=Severity.ERROR,
        at=change.place,
        step="/treaty/unit",
        message=Text(
            "the unit of `{path}` changed from {before} to {after}: every reader takes the numbers for others",
            {"path": change.path, "before": before, "after": after or "none"},
        ),
        help=Text("keep the unit, and add a new field for the new one"),
        names=(change.path, before, after),
        proof=proof,
    )


def by_doc(comparison: Comparison, change: Change, before: str, after: str) -> Finding:
    return comparison.finding(
        NAME,
        category="meaning",
        severity=Severity.WARNING,
        at=change.place,
        step="/doc",
        message=Text(
            "the doc of `{path}` speaks of {after} where it spoke of {before}",
            {"path": change.path, "before": before, "after": after},
        ),
        help=Text("if the numbers changed, add a new field instead; say the unit in treaty.unit"),
        names=("doc", change.path, before, after),
    )


def unit_of(field: Field | None) -> str:
    own = field.props.get("treaty") if field is not None else None
    return str(own.get("unit", "")) if isinstance(own, dict) else ""


def is_number(field: Field | None) -> bool:
    """Whether a field holds numbers, alone, optional or in a list; texts mention units for other reasons."""
    waiting: list[Type] = [field.type] if field is not None else []
    while waiting:
        match waiting.pop():
            case Array(items=inner) | Map(values=inner):
                waiting.append(inner)
            case Union(branches=inner):
                waiting.extend(inner)
            case Primitive(kind="int" | "long" | "float" | "double"):
                return True
            case other if other.logical is not None and other.logical.kind == "decimal":
                return True
    return False


def words_changed(before: str, after: str) -> Iterator[tuple[str, str]]:
    """Per dimension, the units of both docs if they have none in common."""
    for dimension in WORDS:
        old, new = units_in(before, dimension), units_in(after, dimension)
        if old and new and old.isdisjoint(new):
            yield " and ".join(sorted(old)), " and ".join(sorted(new))


def units_in(doc: str, dimension: str) -> set[str]:
    return {unit for unit, pattern in patterns(dimension).items() if pattern.search(doc)}


RULE = Rule(name=NAME, category="meaning", severity=Severity.ERROR, check=check)
