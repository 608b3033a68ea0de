"""doc-repeats-name: a doc says nothing but the name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from treaty_codegen.contract import snake_case
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "doc-repeats-name"


def check(facts: LintFacts) -> Iterator[Finding]:
    """A doc that repeats the name looks like a doc and helps nobody."""
    records = ((facts.at_type(each, "/doc"), each.name.simple, each.name.full, each.doc) for _, each in facts.records())
    fields = (
        (facts.at_field(record, each, "/doc"), each.name, record.name.full, each.doc) for record, each in facts.fields()
    )
    for at, name, owner, doc in (*records, *fields):
        if doc and words(doc) == words(snake_case(name)):
            yield finding(
                NAME,
                "docs",
                Severity.ERROR,
                at,
                Text("the doc of `{name}` only repeats its name", {"name": name}),
                owner,
                name,
                help=Text("say what it means: its unit and range, or what had to happen"),
            )


def words(text: str) -> list[str]:
    """The words of a doc or a snake_case name, without articles."""
    return [word for word in re.findall(r"[a-z0-9]+", text.lower()) if word not in {"the", "a", "an", "of"}]


RULE = Rule(name=NAME, category="docs", severity=Severity.ERROR, check=check)
