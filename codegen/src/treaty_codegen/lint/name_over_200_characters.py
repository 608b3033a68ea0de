"""name-over-200-characters: a full name is longer than 200 characters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "name-over-200-characters"

LONGEST: Final = 200
"""Characters of a full name, namespace and dots included."""


def check(facts: LintFacts) -> Iterator[Finding]:
    """A subject is topic, hyphen and full name; a Kafka topic and many file systems end at 249 or 255."""
    for _, named in facts.types():
        if len(named.name.full) > LONGEST:
            yield finding(
                NAME,
                "names",
                Severity.ERROR,
                facts.at_type(named, "/name"),
                Text("the full name has {count} characters", {"count": str(len(named.name.full))}),
                named.name.full,
                help=Text("at most {most}", {"most": str(LONGEST)}),
            )


RULE = Rule(name=NAME, category="names", severity=Severity.ERROR, check=check)
