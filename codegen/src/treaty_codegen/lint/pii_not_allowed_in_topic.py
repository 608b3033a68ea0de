"""pii-not-allowed-in-topic: a field's personal data is of a kind that its topic may not carry."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_avro import Field, Record
from treaty_codegen.catalog import Topic
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding, treaty_props
from treaty_codegen.rule import Rule

NAME = "pii-not-allowed-in-topic"


def check(facts: LintFacts) -> Iterator[Finding]:
    """The topic's owner decides what may be kept that long and read by whom."""
    told: set[tuple[str, str, str]] = set()
    for topic, record, field, category in carried(facts):
        place = (topic.name, record.name.full, field.name)
        if category not in topic.pii and place not in told:
            told.add(place)
            yield finding(
                NAME,
                "governance",
                Severity.ERROR,
                facts.at_field(record, field, "/treaty/pii"),
                Text(
                    "`{field}` carries {category}, which topic {topic} may not",
                    {"field": field.name, "category": category, "topic": topic.name},
                ),
                topic.name,
                record.name.full,
                field.name,
                help=Text("remove it, or ask the owner to add it to pii = […] of the topic"),
            )


def carried(facts: LintFacts) -> Iterator[tuple[Topic, Record, Field, str]]:
    """Every tagged field of every event of every topic; shared types count for each topic that carries them."""
    for topic in facts.catalog.topics.values():
        for event in topic.events:
            file = facts.catalog.by_name.get(event)
            for named in file.schema.known().values() if file else ():
                if not isinstance(named, Record):
                    continue
                for field in named.fields:
                    category = treaty_props(field.props).get("pii")
                    if category:
                        yield topic, named, field, str(category)


RULE = Rule(name=NAME, category="governance", severity=Severity.ERROR, check=check)
