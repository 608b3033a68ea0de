"""recursive-without-end: a record holds itself, and nothing ever ends it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from treaty_avro import Record, Type, Union
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.reach import named_within
from treaty_codegen.rule import Rule

NAME = "recursive-without-end"


def check(facts: LintFacts) -> Iterator[Finding]:
    """No finite value exists: nobody can ever write the event."""
    endless = without_end(facts)
    for _, record in facts.records():
        if record.name.full in endless and record.name.full in reached(record):
            yield finding(
                NAME,
                "evolution",
                Severity.ERROR,
                facts.at_type(record),
                Text("{name} holds itself without end: it has no finite value", {"name": record.name.simple}),
                record.name.full,
                help=Text("make the way back optional, or a list"),
            )


def without_end(facts: LintFacts) -> set[str]:
    """Full names of the records that have no finite value: what remains when those that have one are taken away, again and again."""
    left = {record.name.full: record for _, record in facts.records()}
    while True:
        ended = [name for name, record in left.items() if all(is_finite(field.type, left) for field in record.fields)]
        if not ended:
            return set(left)
        for name in ended:
            del left[name]


def is_finite(type_: Type, left: Mapping[str, Record]) -> bool:
    """Whether a value of a type can end without any record of ``left``: a list may be empty, a union may be another branch."""
    if isinstance(type_, Union):
        return any(is_finite(branch, left) for branch in type_.branches)
    return not (isinstance(type_, Record) and type_.name.full in left)


def reached(record: Record) -> set[str]:
    """Full names of all types that the fields of a record are made of."""
    return {name for field in record.fields for name in named_within(field.type)}


RULE = Rule(name=NAME, category="evolution", severity=Severity.ERROR, check=check)
