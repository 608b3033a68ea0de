"""ignore-without-reason: a place is excepted from a rule, and nobody knows why."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.finding import Finding, Location, Severity, Text, fingerprint
from treaty_codegen.lint.facts import LintFacts
from treaty_codegen.rule import Rule
from treaty_codegen.waivers import FILE

NAME = "ignore-without-reason"


def check(facts: LintFacts) -> Iterator[Finding]:
    """In two years somebody wants to remove it, and does not dare."""
    for ignore in facts.ignores:
        if not ignore.reason.strip():
            yield Finding(
                rule=NAME,
                severity=Severity.ERROR,
                category="governance",
                at=Location(path=f"{facts.places.root}{FILE}", line=ignore.line or 1, end_line=ignore.line or 1),
                message=Text("{rule} is ignored at {at} without a reason", {"rule": ignore.rule, "at": ignore.at}),
                help=Text('write reason = "…"'),
                fingerprint=fingerprint(NAME, ignore.rule, ignore.at),
            )


RULE = Rule(name=NAME, category="governance", severity=Severity.ERROR, check=check)
