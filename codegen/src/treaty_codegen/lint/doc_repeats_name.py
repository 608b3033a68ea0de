"""doc-repeats-name: a doc says nothing but the name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "doc-repeats-name"


def check(facts: LintFacts) -> Iterator[Finding]:
    """A doc that repeats the name looks like a doc and helps nobody."""
    for record, field in facts.fields():
        if field.doc and words(field.doc) == words(field.name.replace("_", " ")):
            yield finding(
                NAME,
                "docs",
                Severity.ERROR,
                facts.at_field(record, field, "/doc"),
                Text("the doc of `{field}` only repeats its name", {"field": field.name}),
                record.name.full,
                field.name,
                help=Text("say what the value means, its unit and its range"),
            )


def words(text: str) -> list[str]:
    return [word for word in re.findall(r"[a-z0-9]+", text.lower()) if word not in {"the", "a", "an", "of"}]


RULE = Rule(name=NAME, category="docs", severity=Severity.ERROR, check=check)
