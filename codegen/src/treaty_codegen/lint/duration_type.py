"""duration-type: a field uses Avro's duration."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "duration-type"


def check(facts: LintFacts) -> Iterator[Finding]:
    """Months, days and milliseconds in one value have no length, and few languages know the type."""
    for record, field, logical in facts.logical_fields():
        found = [leaf for leaf in logical if leaf.logical is not None and leaf.logical.kind == "duration"]
        if found:
            yield finding(
                NAME,
                "types",
                Severity.WARNING,
                facts.at_leaf(record, found[0]),
                Text("`{field}` is a duration of months, days and milliseconds", {"field": field.name}),
                record.name.full,
                field.name,
                help=Text("use a long with a unit: seconds, days"),
            )


RULE = Rule(name=NAME, category="types", severity=Severity.WARNING, check=check)
