"""local-timestamp: a time is local, without a zone."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "local-timestamp"


def check(facts: LintFacts) -> Iterator[Finding]:
    """Two readers in two places take it for two instants."""
    for record, field, logical in facts.logical_fields():
        local = [leaf for leaf in logical if leaf.logical is not None and leaf.logical.kind.startswith("local-")]
        if local:
            yield finding(
                NAME,
                "types",
                Severity.WARNING,
                facts.at_leaf(record, local[0], "/logicalType"),
                Text("`{field}` is a local time: whose?", {"field": field.name}),
                record.name.full,
                field.name,
                help=Text("use timestamp-micros (UTC), and a field for the zone if people need it"),
            )


RULE = Rule(name=NAME, category="types", severity=Severity.WARNING, check=check)
