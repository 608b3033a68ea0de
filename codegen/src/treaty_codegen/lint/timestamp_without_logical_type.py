"""timestamp-without-logical-type: a time is a bare number."""

from __future__ import annotations

import re
from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding, treaty_props
from treaty_codegen.rule import Rule

NAME = "timestamp-without-logical-type"

TIME = re.compile(r"(_at|_time|timestamp|_before|_after|_until)$")


def check(facts: LintFacts) -> Iterator[Finding]:
    """Seconds, milliseconds or microseconds since when? The type should say."""
    for record, field in facts.fields():
        if TIME.search(field.name) is None:
            continue
        bare = [leaf for leaf in facts.leaves(field) if leaf.kind in {"int", "long"} and leaf.logical is None]
        # A unit tells a length of time from an instant: lead_time in hours.
        is_length = field.name.endswith("_time") and treaty_props(field.props).get("unit")
        if bare and not is_length:
            yield finding(
                NAME,
                "types",
                Severity.ERROR,
                facts.at_leaf(record, bare[0]),
                Text("`{field}` looks like a time, but its type does not say so", {"field": field.name}),
                record.name.full,
                field.name,
                help=Text('use {{"type": "long", "logicalType": "timestamp-micros"}}'),
            )


RULE = Rule(name=NAME, category="types", severity=Severity.ERROR, check=check)
