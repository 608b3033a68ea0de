"""pii-in-key: a record key holds personal data."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.lint.keys import key_fields
from treaty_codegen.rule import Rule
from treaty_codegen.tags import personal_data

NAME = "pii-in-key"


def check(facts: LintFacts) -> Iterator[Finding]:
    """Keys stand in logs, metrics and consoles, and a compacted topic keeps them for ever."""
    for part in key_fields(facts):
        for field in part.fields:
            category = personal_data(field)
            if category and category != "id":
                yield finding(
                    NAME,
                    "governance",
                    Severity.ERROR,
                    part.at,
                    Text(
                        "the key of {event} holds personal data: `{path}` ({category})",
                        {"event": part.event.name.full, "path": part.path, "category": category},
                    ),
                    part.topic.name,
                    part.event.name.full,
                    part.path,
                    help=Text("use a number or a hash as key"),
                )


RULE = Rule(name=NAME, category="governance", severity=Severity.ERROR, check=check)
