"""waiver-too-long: a waiver's last day is more than 180 days ahead."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from treaty_codegen.breaking.waiver_facts import WaiverFacts
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "waiver-too-long"

LONGEST: Final = timedelta(days=180)


def check(facts: WaiverFacts) -> Iterator[Finding]:
    """A waiver without an end is a rule that was switched off."""
    if facts.waiver.until - facts.today > LONGEST:
        yield facts.finding(
            NAME,
            Text(
                "the waiver of {rule} holds until {until}",
                {"rule": facts.waiver.rule, "until": facts.waiver.until.isoformat()},
            ),
            help=Text(
                "at most {days} days ahead: {last}",
                {"days": str(LONGEST.days), "last": (facts.today + LONGEST).isoformat()},
            ),
        )


RULE = Rule(name=NAME, category="policy", severity=Severity.ERROR, check=check)
