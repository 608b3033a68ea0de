"""decimal-precision-too-large: a decimal has more than 38 digits."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "decimal-precision-too-large"

MOST_DIGITS = 38


def check(facts: LintFacts) -> Iterator[Finding]:
    """Databases and warehouses stop at 38."""
    for record, field, logical in facts.logical_fields():
        wide = [leaf for leaf in logical if leaf.logical is not None and leaf.logical.precision > MOST_DIGITS]
        if wide:
            yield finding(
                NAME,
                "types",
                Severity.ERROR,
                facts.at_leaf(record, wide[0], "/precision"),
                Text("`{field}` is a decimal of more than 38 digits", {"field": field.name}),
                record.name.full,
                field.name,
                help=Text("38 digits are what other systems keep"),
            )


RULE = Rule(name=NAME, category="types", severity=Severity.ERROR, check=check)
