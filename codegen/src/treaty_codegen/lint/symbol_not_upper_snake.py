"""symbol-not-upper-snake: a symbol of an enum is not in UPPER_SNAKE."""

from __future__ import annotations

import re
from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "symbol-not-upper-snake"

UPPER = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")


def check(facts: LintFacts) -> Iterator[Finding]:
    """Symbols are constants in every language."""
    for _, enum in facts.enums():
        bad = [symbol for symbol in enum.symbols if not UPPER.fullmatch(symbol)]
        if bad:
            yield finding(
                NAME,
                "names",
                Severity.ERROR,
                facts.at_type(enum, f"/symbols/{enum.symbols.index(bad[0])}"),
                Text("symbols not in UPPER_SNAKE: {symbols}", {"symbols": ", ".join(bad)}),
                enum.name.full,
                help=Text("name them like PENDING_PAYMENT"),
            )


RULE = Rule(name=NAME, category="names", severity=Severity.ERROR, check=check)
