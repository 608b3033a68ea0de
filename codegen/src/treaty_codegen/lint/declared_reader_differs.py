"""declared-reader-differs: a service reads other events than `topics.toml` says."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.catalog import Catalog
from treaty_codegen.finding import Finding, Location, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.readers.model import Scan
from treaty_codegen.rule import Rule

NAME = "declared-reader-differs"


def check(facts: LintFacts) -> Iterator[Finding]:
    """Whoever changes an event asks those that are declared. A service without any handler is not judged: it may read in another way."""
    for service, found in facts.scans:
        if found.handled:
            yield from undeclared(facts, service, found)
            yield from unhandled(facts, service, found)


def undeclared(facts: LintFacts, service: str, found: Scan) -> Iterator[Finding]:
    """Handlers of events that no consumer of the service gets."""
    declared = declared_events(facts.catalog, service)
    told: set[str] = set()
    for each in found.handled:
        if each.event not in declared and each.event not in told:
            told.add(each.event)
            yield finding(
                NAME,
                "governance",
                Severity.ERROR,
                Location(path=each.file, line=each.line, end_line=each.line),
                Text(
                    "{service} handles {event}, and no consumer of it is declared",
                    {"service": service, "event": each.event},
                ),
                each.event,
                service,
                help=Text('declare it: [topic."…".consumer."…"] with service = "{service}"', {"service": service}),
            )


def unhandled(facts: LintFacts, service: str, found: Scan) -> Iterator[Finding]:
    """Events that a consumer names one by one, and no handler of the service takes."""
    handled = {each.event for each in found.handled}
    for topic in facts.catalog.topics.values():
        for consumer in topic.consumers:
            for event in consumer.events if consumer.service == service else ():
                if event not in handled:
                    yield finding(
                        NAME,
                        "governance",
                        Severity.ERROR,
                        facts.at_topic(consumer.line),
                        Text(
                            "{group} is declared to read {event}, and {service} has no handler for it",
                            {"group": consumer.group, "event": event, "service": service},
                        ),
                        event,
                        consumer.group,
                        help=Text("write the handler, or take the event out of `events`"),
                    )


def declared_events(catalog: Catalog, service: str) -> set[str]:
    """Every event that a consumer of a service gets."""
    return {
        event
        for topic in catalog.topics.values()
        for consumer in topic.consumers
        if consumer.service == service
        for event in consumer.events or topic.events
    }


RULE = Rule(name=NAME, category="governance", severity=Severity.ERROR, check=check)
