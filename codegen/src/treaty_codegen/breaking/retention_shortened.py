"""retention-shortened: records are thrown away sooner than before."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.topic_facts import TopicComparison
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.quantities import span
from treaty_codegen.rule import Rule

NAME = "retention-shortened"


def check(comparison: TopicComparison) -> Iterator[Finding]:
    """A reader that replays or stood still for longer than the new time loses records for good. Longer is fine."""
    for env, before, after in comparison.differences(comparison.old.retention, comparison.topic.retention):
        if after < before:
            yield comparison.finding(
                NAME,
                severity=Severity.WARNING,
                member="retention",
                message=Text(
                    "{topic} keeps records for {after}{where}, it was {before}: what is older goes when this is applied",
                    {
                        "topic": comparison.topic.name,
                        "before": span(before),
                        "after": span(after),
                        "where": comparison.where(env),
                    },
                ),
                help=Text("ask who replays the topic"),
                names=("retention", env, span(before), span(after)),
            )


RULE = Rule(name=NAME, category="policy", severity=Severity.WARNING, check=check)
