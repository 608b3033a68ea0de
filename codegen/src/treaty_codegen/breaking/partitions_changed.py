"""partitions-changed: another number of partitions sends keys elsewhere, and their order breaks at that moment."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.topic_facts import TopicComparison
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "partitions-changed"


def check(comparison: TopicComparison) -> Iterator[Finding]:
    """The partition of a key is its hash modulo their number. Kafka cannot take partitions away at all."""
    for env, before, after in comparison.differences(comparison.old.partitions, comparison.topic.partitions):
        yield comparison.finding(
            NAME,
            severity=Severity.ERROR,
            member="partitions",
            message=Text(
                "{topic} has {after} partitions{where}, it had {before}: keys move, and the order per key breaks once"
                if after > before
                else "{topic} has {after} partitions{where}, it had {before}: Kafka removes none",
                {
                    "topic": comparison.topic.name,
                    "before": str(before),
                    "after": str(after),
                    "where": comparison.where(env),
                },
            ),
            help=Text("keep the number, or open a topic with more and let readers move over"),
            names=("partitions", env, str(before), str(after)),
        )


RULE = Rule(name=NAME, category="policy", severity=Severity.ERROR, check=check)
