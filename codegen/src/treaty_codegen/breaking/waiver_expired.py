"""waiver-expired: a waiver's last day is over."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.waiver_facts import WaiverFacts
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "waiver-expired"


def check(facts: WaiverFacts) -> Iterator[Finding]:
    """What was accepted until a day is not accepted after it."""
    if facts.today > facts.waiver.until:
        yield facts.finding(
            NAME,
            Text(
                "the waiver of {rule} ended on {until}",
                {"rule": facts.waiver.rule, "until": facts.waiver.until.isoformat()},
            ),
            help=Text("remove it if the break is released and done with, or ask again for a new day"),
        )


RULE = Rule(name=NAME, category="policy", severity=Severity.ERROR, check=check)
