"""field-without-default: a field came after a release, and can never go again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from treaty_avro import MISSING, Field, Record
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.reach import named_within
from treaty_codegen.released import fields_of
from treaty_codegen.rule import Rule

NAME = "field-without-default"


def check(facts: LintFacts) -> Iterator[Finding]:
    """At FORWARD and FULL old readers keep asking for a field that once had no default; a first release has no old readers."""
    newest, required = facts.released.newest, required_fields(facts)
    told: set[tuple[str, str]] = set()
    for topic in facts.catalog.topics.values():
        if not topic.compatibility.startswith(("FORWARD", "FULL")):
            continue
        for event in topic.events:
            file = facts.catalog.by_name.get(event)
            if file is None or event not in newest:
                continue
            for record, field in added(newest[event], required):
                if (record.name.full, field.name) in told or record.name.full not in named_within(file.schema.root):
                    continue
                told.add((record.name.full, field.name))
                yield finding(
                    NAME,
                    "evolution",
                    Severity.ERROR,
                    facts.at_field(record, field),
                    Text(
                        "`{field}` came after the last release and has no default, and {topic} promises {level}",
                        {"field": field.name, "topic": topic.name, "level": topic.compatibility},
                    ),
                    record.name.full,
                    field.name,
                    help=Text('add a "default", or make it optional: ["null", …] with "default": null'),
                )


def required_fields(facts: LintFacts) -> dict[str, list[tuple[Record, Field]]]:
    """The fields without default, by the full name of their record."""
    required: dict[str, list[tuple[Record, Field]]] = {}
    for record, field in facts.fields():
        if field.default is MISSING:
            required.setdefault(record.name.full, []).append((record, field))
    return required


def added(released: str, required: Mapping[str, list[tuple[Record, Field]]]) -> Iterator[tuple[Record, Field]]:
    """Required fields that the records of a released text have by no name or alias; records that are new are left out."""
    for name, fields in fields_of(released):
        known = {field["name"] for field in fields}
        for record, field in required.get(name, ()):
            if field.name not in known and known.isdisjoint(field.aliases):
                yield record, field


RULE = Rule(name=NAME, category="evolution", severity=Severity.ERROR, check=check)
