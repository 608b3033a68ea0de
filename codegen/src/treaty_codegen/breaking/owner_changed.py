"""owner-changed: another team answers for a topic."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.topic_facts import TopicComparison
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "owner-changed"


def check(comparison: TopicComparison) -> Iterator[Finding]:
    """Who gives away and who takes over should both have said so."""
    before, after = comparison.old.owner, comparison.topic.owner
    if before and before != after:
        yield comparison.finding(
            NAME,
            severity=Severity.WARNING,
            member="owner",
            message=Text(
                "{topic} belongs to {after} now, it belonged to {before}",
                {"topic": comparison.topic.name, "before": before, "after": after or "nobody"},
            ),
            help=Text("let both teams approve; treaty owners --write keeps CODEOWNERS equal"),
            names=("owner", before, after),
        )


RULE = Rule(name=NAME, category="policy", severity=Severity.WARNING, check=check)
