"""compatibility-weakened: a topic promises its readers less than before."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "compatibility-weakened"


def check(comparison: Comparison) -> Iterator[Finding]:
    """A level is weaker if it checks fewer directions, or only the newest version instead of all."""
    before, after = comparison.old_event.level, comparison.topic.compatibility
    if not promises(before) <= promises(after):
        yield comparison.finding(
            NAME,
            category="policy",
            severity=Severity.ERROR,
            at=comparison.topic_location("compatibility"),
            message=Text(
                "the level of {topic} was weakened from {before} to {after}",
                {"topic": comparison.topic.name, "before": before, "after": after},
            ),
            help=Text("keep the level, or ask every reader of the topic"),
            names=("level", before, after),
        )


def promises(level: str) -> frozenset[str]:
    """What a level promises, as a set that can be compared."""
    directions = {"BACKWARD": ("backward",), "FORWARD": ("forward",), "FULL": ("backward", "forward")}
    held = directions.get(level.removesuffix("_TRANSITIVE"), ())
    return frozenset(held) | ({"transitive"} if level.endswith("_TRANSITIVE") else frozenset())


RULE = Rule(name=NAME, category="policy", severity=Severity.ERROR, check=check)
