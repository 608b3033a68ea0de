"""record-without-doc: a record has no doc."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "record-without-doc"


def check(facts: LintFacts) -> Iterator[Finding]:
    """The doc is all that another team has."""
    for _, record in facts.records():
        if not (record.doc or "").strip():
            yield finding(
                NAME,
                "docs",
                Severity.ERROR,
                facts.at_type(record, "/name"),
                Text("record {name} has no doc", {"name": record.name.simple}),
                record.name.full,
                help=Text("say in one sentence what happened, in the past tense"),
            )


RULE = Rule(name=NAME, category="docs", severity=Severity.ERROR, check=check)
