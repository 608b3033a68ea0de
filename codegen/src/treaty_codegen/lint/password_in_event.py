"""password-in-event: a field looks like a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "password-in-event"

SECRET = re.compile(r"(^|_)(password|passwd|secret|private_key|api_key|cvv|(access|refresh|auth|session)_token)(_|$)")


def check(facts: LintFacts) -> Iterator[Finding]:
    """What is in an event is in every copy, backup and log of it for years."""
    for record, field in facts.fields():
        if SECRET.search(field.name):
            yield finding(
                NAME,
                "governance",
                Severity.ERROR,
                facts.at_field(record, field, "/name"),
                Text("`{field}` looks like a secret: secrets never travel in events", {"field": field.name}),
                record.name.full,
                field.name,
                help=Text("send an id instead"),
            )


RULE = Rule(name=NAME, category="governance", severity=Severity.ERROR, check=check)
