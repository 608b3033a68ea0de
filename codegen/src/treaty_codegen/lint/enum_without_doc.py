"""enum-without-doc: an enum does not say what it tells apart."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "enum-without-doc"


def check(facts: LintFacts) -> Iterator[Finding]:
    """The symbols alone rarely say when each of them is written."""
    for _, enum in facts.enums():
        if not (enum.doc or "").strip():
            yield finding(
                NAME,
                "docs",
                Severity.ERROR,
                facts.at_type(enum),
                Text("enum {name} has no doc", {"name": enum.name.simple}),
                enum.name.full,
                help=Text("say what each symbol means, and when it is written"),
            )


RULE = Rule(name=NAME, category="docs", severity=Severity.ERROR, check=check, is_strict=True)
