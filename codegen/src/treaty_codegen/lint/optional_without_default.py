"""optional-without-default: an optional field has no default."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_avro import MISSING
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding, is_optional
from treaty_codegen.rule import Rule

NAME = "optional-without-default"


def check(facts: LintFacts) -> Iterator[Finding]:
    """Without a default it is required in every constructor and cannot be removed later."""
    for record, field in facts.fields():
        if is_optional(field.type) and field.default is MISSING:
            yield finding(
                NAME,
                "evolution",
                Severity.ERROR,
                facts.at_field(record, field),
                Text("`{field}` is optional, but has no default", {"field": field.name}),
                record.name.full,
                field.name,
                help=Text('add "default": null'),
            )


RULE = Rule(name=NAME, category="evolution", severity=Severity.ERROR, check=check)
