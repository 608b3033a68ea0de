"""logical-type-unknown: the logical type is none that Avro knows, or not valid for its base."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "logical-type-unknown"


def check(facts: LintFacts) -> Iterator[Finding]:
    """Readers silently get the bare number or text."""
    for record, field in facts.fields():
        for leaf in facts.leaves(field):
            if "logicalType" not in leaf.props or leaf.logical is not None:
                continue
            unknown = str(leaf.props["logicalType"])
            yield finding(
                NAME,
                "types",
                Severity.ERROR,
                facts.at_leaf(record, leaf, "/logicalType"),
                Text(
                    "`{field}` has the logical type {unknown}, which has no effect",
                    {"field": field.name, "unknown": unknown},
                ),
                record.name.full,
                field.name,
                unknown,
                help=Text("correct its name, base, precision or scale; or remove it"),
            )


RULE = Rule(name=NAME, category="types", severity=Severity.ERROR, check=check)
