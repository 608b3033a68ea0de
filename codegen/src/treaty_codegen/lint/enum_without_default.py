"""enum-without-default: an enum has no default symbol."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "enum-without-default"


def check(facts: LintFacts) -> Iterator[Finding]:
    """Without one, the first new symbol breaks every old reader."""
    for _, enum in facts.enums():
        if enum.default is None:
            yield finding(
                NAME,
                "evolution",
                Severity.ERROR,
                facts.at_type(enum, "/symbols"),
                Text("enum {name} has no default symbol", {"name": enum.name.simple}),
                enum.name.full,
                help=Text('add a symbol UNKNOWN and "default": "UNKNOWN" beside "symbols"'),
            )


RULE = Rule(name=NAME, category="evolution", severity=Severity.ERROR, check=check)
