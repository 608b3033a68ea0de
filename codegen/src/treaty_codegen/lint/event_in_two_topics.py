"""event-in-two-topics: one event is listed in two topics."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.catalog import Topic
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "event-in-two-topics"


def check(facts: LintFacts) -> Iterator[Finding]:
    """Its subject, key and retention would depend on where it was read."""
    listed: dict[str, list[Topic]] = {}
    for topic in facts.catalog.topics.values():
        for event in topic.events:
            listed.setdefault(event, []).append(topic)
    for name, topics in listed.items():
        if len(topics) > 1 and any(topic.subject != "record" for topic in topics):
            yield finding(
                NAME,
                "governance",
                Severity.ERROR,
                facts.at_topic(topics[-1].lines.get("events", topics[-1].line)),
                Text(
                    "{event} is listed in {topics}",
                    {"event": name, "topics": " and ".join(topic.name for topic in topics)},
                ),
                name,
                help=Text('list it once, or say subject = "record" in its topics'),
            )


RULE = Rule(name=NAME, category="governance", severity=Severity.ERROR, check=check)
