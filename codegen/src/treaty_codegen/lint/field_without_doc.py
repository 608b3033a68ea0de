"""field-without-doc: a field has no doc."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "field-without-doc"


def check(facts: LintFacts) -> Iterator[Finding]:
    """The doc is all that another team has."""
    for record, field in facts.fields():
        if not (field.doc or "").strip():
            yield finding(
                NAME,
                "docs",
                Severity.ERROR,
                facts.at_field(record, field),
                Text("field `{field}` has no doc", {"field": field.name}),
                record.name.full,
                field.name,
                help=Text("say what the value means and its unit, for a reader in another team"),
            )


RULE = Rule(name=NAME, category="docs", severity=Severity.ERROR, check=check)
