"""owner-missing: a topic or a service has no owner."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "owner-missing"


def check(facts: LintFacts) -> Iterator[Finding]:
    """Somebody must answer at three in the morning."""
    topics = (("topic", each.name, each.owner, each.lines.get("owner")) for each in facts.catalog.topics.values())
    services = (("service", each.name, each.owner, each.line) for each in facts.catalog.services.values())
    for kind, name, owner, line in (*topics, *services):
        if not owner.strip():
            yield finding(
                NAME,
                "governance",
                Severity.ERROR,
                facts.at_topic(line or 1),
                Text("{kind} {name} has no owner", {"kind": kind, "name": name}),
                kind,
                name,
                help=Text('write owner = "@team"'),
            )


RULE = Rule(name=NAME, category="governance", severity=Severity.ERROR, check=check)
