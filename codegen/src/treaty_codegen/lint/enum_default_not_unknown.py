"""enum-default-not-unknown: an enum's default is a symbol with a meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "enum-default-not-unknown"

UNKNOWN = re.compile(r"(?:^|_)(?:UNKNOWN|UNSPECIFIED|OTHER|UNRECOGNIZED)(?:_|$)")


def check(facts: LintFacts) -> Iterator[Finding]:
    """A reader that is older than a symbol takes it for the default: better for `UNKNOWN` than for `PAID`."""
    for _, enum in facts.enums():
        if enum.default is not None and not UNKNOWN.search(enum.default):
            yield finding(
                NAME,
                "evolution",
                Severity.ERROR,
                facts.at_type(enum, "/default"),
                Text(
                    "an unknown symbol of {name} is read as {default}",
                    {"name": enum.name.simple, "default": enum.default},
                ),
                enum.name.full,
                help=Text("add a symbol UNKNOWN and make it the default"),
            )


RULE = Rule(name=NAME, category="evolution", severity=Severity.ERROR, check=check, is_strict=True)
