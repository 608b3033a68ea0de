"""logical-type-on-field: the logical type stands beside the field's type, where Avro ignores it."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "logical-type-on-field"


def check(facts: LintFacts) -> Iterator[Finding]:
    """Avro reads logicalType only inside the type's own object."""
    for record, field in facts.fields():
        if "logicalType" in field.props:
            yield finding(
                NAME,
                "types",
                Severity.ERROR,
                facts.at_field(record, field, "/logicalType"),
                Text("the logicalType of `{field}` stands on the field and is ignored", {"field": field.name}),
                record.name.full,
                field.name,
                help=Text('write "type": {{"type": "long", "logicalType": "…"}}'),
            )


RULE = Rule(name=NAME, category="types", severity=Severity.ERROR, check=check)
