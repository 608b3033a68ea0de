"""owner-missing: a topic has no owner."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "owner-missing"


def check(facts: LintFacts) -> Iterator[Finding]:
    """Somebody must answer at three in the morning."""
    for topic in facts.catalog.topics.values():
        if not topic.owner:
            yield finding(
                NAME,
                "governance",
                Severity.ERROR,
                facts.at_topic(topic.line),
                Text("topic {topic} has no owner", {"topic": topic.name}),
                topic.name,
                help=Text('add owner = "@team"'),
            )


RULE = Rule(name=NAME, category="governance", severity=Severity.ERROR, check=check)
