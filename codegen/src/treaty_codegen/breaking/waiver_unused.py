"""waiver-unused: a waiver matches nothing that is found."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.waiver_facts import WaiverFacts
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "waiver-unused"


def check(facts: WaiverFacts) -> Iterator[Finding]:
    """It would let the next break of this name through without a word."""
    if facts.judges_unused and not facts.matched:
        yield facts.finding(
            NAME,
            Text("the waiver of {rule} matches nothing", {"rule": facts.waiver.rule}),
            help=Text("remove it"),
        )


RULE = Rule(name=NAME, category="policy", severity=Severity.ERROR, check=check)
