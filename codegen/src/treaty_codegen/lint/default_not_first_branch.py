"""default-not-first-branch: a union's default does not belong to its first branch."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_avro import MISSING, Union
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "default-not-first-branch"


def check(facts: LintFacts) -> Iterator[Finding]:
    """Readers older than Avro 1.9 take the default for the first branch's."""
    for record, field in facts.fields():
        default = field.default
        if not isinstance(field.type, Union) or default is MISSING or default is None:
            continue
        if field.type.branches[0].kind == "null":
            yield finding(
                NAME,
                "evolution",
                Severity.ERROR,
                facts.at_field(record, field, "/default"),
                Text("the default of `{field}` is not of its first branch", {"field": field.name}),
                record.name.full,
                field.name,
                help=Text("put the default's branch first"),
            )


RULE = Rule(name=NAME, category="evolution", severity=Severity.ERROR, check=check)
