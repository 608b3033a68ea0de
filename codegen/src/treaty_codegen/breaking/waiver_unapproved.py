"""waiver-unapproved: somebody who must agree to a break has not."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.waiver_facts import WaiverFacts
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "waiver-unapproved"


def check(facts: WaiverFacts) -> Iterator[Finding]:
    """Who reads the field pays for the break: their word is needed, and where the service tells, their real approval."""
    named = frozenset(facts.waiver.approved_by)
    silent = [name for name in facts.required if name not in named]
    unheard = [name for name in facts.waiver.approved_by if facts.approvals is not None and name not in facts.approvals]
    if silent:
        yield facts.finding(
            NAME,
            Text("the waiver of {rule} lacks {names}", {"rule": facts.waiver.rule, "names": ", ".join(silent)}),
            help=Text("ask them, and add them to approved_by"),
        )
    elif unheard:
        yield facts.finding(
            NAME,
            Text("approved_by says more than was heard: {names}", {"names": ", ".join(unheard)}),
            help=Text("ask them for their review"),
        )


RULE = Rule(name=NAME, category="policy", severity=Severity.ERROR, check=check)
