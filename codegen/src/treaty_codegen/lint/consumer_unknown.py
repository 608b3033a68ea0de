"""consumer-unknown: a consumer names a service that is not declared."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.nearest import did_you_mean
from treaty_codegen.rule import Rule

NAME = "consumer-unknown"


def check(facts: LintFacts) -> Iterator[Finding]:
    """Nobody knows whom to ask, where its code is, and where its failures go."""
    services = facts.catalog.services
    for topic in facts.catalog.topics.values():
        for consumer in topic.consumers:
            if consumer.service is not None and consumer.service not in services:
                yield finding(
                    NAME,
                    "governance",
                    Severity.ERROR,
                    facts.at_topic(consumer.line),
                    Text(
                        "consumer {group} of {topic} is of service {service}, which is not declared{hint}",
                        {
                            "group": consumer.group,
                            "topic": topic.name,
                            "service": consumer.service,
                            "hint": did_you_mean(consumer.service, known=services),
                        },
                    ),
                    topic.name,
                    consumer.group,
                    help=Text("declare it: [service.{name}] with owner and code", {"name": consumer.service}),
                )


RULE = Rule(name=NAME, category="governance", severity=Severity.ERROR, check=check)
