"""union-ambiguous: two branches of a union look alike in many languages."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, branches, finding
from treaty_codegen.rule import Rule

NAME = "union-ambiguous"

ALIKE = (("int", "long"), ("float", "double"), ("string", "enum"), ("bytes", "fixed"))


def check(facts: LintFacts) -> Iterator[Finding]:
    """A JSON or Python value does not say whether 1 was int or long."""
    for record, field in facts.fields():
        kinds = {branch.kind for branch in branches(field.type)}
        clash = next((pair for pair in ALIKE if kinds.issuperset(pair)), None)
        if clash:
            yield finding(
                NAME,
                "evolution",
                Severity.ERROR,
                facts.at_field(record, field, "/type"),
                Text(
                    "`{field}` may be {clash}: many languages cannot tell which",
                    {"field": field.name, "clash": " or ".join(clash)},
                ),
                record.name.full,
                field.name,
                help=Text("keep one of them, or wrap them in records"),
            )


RULE = Rule(name=NAME, category="evolution", severity=Severity.ERROR, check=check)
