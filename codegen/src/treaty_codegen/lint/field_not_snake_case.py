"""field-not-snake-case: a field is not named in snake_case."""

from __future__ import annotations

import re
from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "field-not-snake-case"

SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def check(facts: LintFacts) -> Iterator[Finding]:
    """The attribute of the SDK has this name."""
    for record, field in facts.fields():
        if not SNAKE.fullmatch(field.name):
            yield finding(
                NAME,
                "names",
                Severity.ERROR,
                facts.at_field(record, field, "/name"),
                Text("field `{field}` is not snake_case", {"field": field.name}),
                record.name.full,
                field.name,
                help=Text("name it like order_id"),
            )


RULE = Rule(name=NAME, category="names", severity=Severity.ERROR, check=check)
