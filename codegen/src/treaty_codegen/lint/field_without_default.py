"""field-without-default: a field came after a release, and can never go again."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_avro import MISSING, Field, Record, parse
from treaty_codegen.catalog import SchemaFile
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.publish import publish
from treaty_codegen.reach import named_within
from treaty_codegen.rule import Rule

NAME = "field-without-default"


def check(facts: LintFacts) -> Iterator[Finding]:
    """At FORWARD and FULL old readers keep asking for a field that once had no default; a first release has no old readers."""
    newest = facts.released.newest
    told: set[tuple[str, str]] = set()
    for topic in facts.catalog.topics.values():
        if not topic.compatibility.startswith(("FORWARD", "FULL")):
            continue
        for event in topic.events:
            file = facts.catalog.by_name.get(event)
            if file is None or event not in newest or publish(file) == newest[event]:
                continue
            for record, field in added(file, newest[event]):
                if field.default is not MISSING or (record.name.full, field.name) in told:
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


def added(file: SchemaFile, released: str) -> Iterator[tuple[Record, Field]]:
    """Fields of an event's records that its released text does not have, by name or alias; records that are new are left out."""
    before = named_within(parse(released, rules="stored").root)
    for name, record in named_within(file.schema.root).items():
        old = before.get(name)
        if isinstance(record, Record) and isinstance(old, Record):
            known = {field.name for field in old.fields}
            for field in record.fields:
                if known.isdisjoint((field.name, *field.aliases)):
                    yield record, field


RULE = Rule(name=NAME, category="evolution", severity=Severity.ERROR, check=check)
