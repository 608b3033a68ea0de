"""logical-type-unknown: the logical type is none that Avro knows, or not valid for its base."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, branches, finding
from treaty_codegen.rule import Rule

NAME = "logical-type-unknown"


def check(facts: LintFacts) -> Iterator[Finding]:
    """Readers silently get the bare number or text."""
    for record, field in facts.fields():
        unknown = [
            b.props["logicalType"] for b in branches(field.type) if "logicalType" in b.props and b.logical is None
        ]
        if unknown:
            yield finding(
                NAME,
                "types",
                Severity.ERROR,
                facts.at_field(record, field, "/type"),
                Text(
                    "`{field}` has the logical type {unknown}, which has no effect",
                    {"field": field.name, "unknown": str(unknown[0])},
                ),
                record.name.full,
                field.name,
                help=Text("correct its name, base, precision or scale; or remove it"),
            )


RULE = Rule(name=NAME, category="types", severity=Severity.ERROR, check=check)
