"""key-changed: another record key sends the events of one thing to other partitions, and their order is lost."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "key-changed"


def check(comparison: Comparison) -> Iterator[Finding]:
    """Compares the key path or template that ``topics.toml`` gives the event, then and now."""
    before, after = comparison.old_event.key, comparison.key
    if before != after and comparison.old_event.topic == comparison.topic.name:
        yield comparison.finding(
            NAME,
            category="meaning",
            severity=Severity.ERROR,
            at=comparison.topic_location(),
            message=Text(
                "the key of {event} changed from `{before}` to `{after}`: its order per key breaks",
                {"event": comparison.event, "before": before or "none", "after": after or "none"},
            ),
            help=Text("keep the key; another key needs a new topic"),
            names=("key", before, after),
        )


RULE = Rule(name=NAME, category="meaning", severity=Severity.ERROR, check=check)
