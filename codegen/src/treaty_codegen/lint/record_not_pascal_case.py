"""record-not-pascal-case: a record, enum or fixed is not named in PascalCase."""

from __future__ import annotations

import re
from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "record-not-pascal-case"

PASCAL = re.compile(r"[A-Z][A-Za-z0-9]*")


def check(facts: LintFacts) -> Iterator[Finding]:
    """The class of the SDK has this name."""
    for _, named in facts.types():
        if not PASCAL.fullmatch(named.name.simple):
            yield finding(
                NAME,
                "names",
                Severity.ERROR,
                facts.at_type(named, "/name"),
                Text("{name} is not PascalCase", {"name": named.name.simple}),
                named.name.full,
                help=Text("name it like OrderCreated"),
            )


RULE = Rule(name=NAME, category="names", severity=Severity.ERROR, check=check)
