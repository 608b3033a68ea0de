"""event-without-topic: a record is on no topic and in no event."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "event-without-topic"


def check(facts: LintFacts) -> Iterator[Finding]:
    """It is either forgotten or dead."""
    used = {event for topic in facts.catalog.topics.values() for event in topic.events}
    for other in facts.catalog.files.values():
        used |= {name for name in other.schema.known() if name not in other.schema.named}
    for file, record in facts.records():
        if record is file.schema.root and facts.catalog.topics and record.name.full not in used:
            yield finding(
                NAME,
                "governance",
                Severity.ERROR,
                facts.at_type(record, "/name"),
                Text("{name} is on no topic and no event holds it", {"name": record.name.full}),
                record.name.full,
                help=Text("list it in topics.toml, or remove the file"),
            )


RULE = Rule(name=NAME, category="governance", severity=Severity.ERROR, check=check)
