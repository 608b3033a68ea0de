"""uuid-without-logical-type: a text field is called a uuid and is none."""

from __future__ import annotations

import re
from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "uuid-without-logical-type"

UUID = re.compile(r"(?:^|_)(?:uuid|guid)s?(?:_|$)")


def check(facts: LintFacts) -> Iterator[Finding]:
    """With the logical type every language gives its own uuid type, and no typing error passes."""
    for record, field in facts.fields():
        plain = [leaf for leaf in facts.leaves(field) if leaf.kind == "string" and leaf.logical is None]
        if plain and UUID.search(field.name):
            yield finding(
                NAME,
                "types",
                Severity.ERROR,
                facts.at_leaf(record, plain[0]),
                Text("`{field}` is a plain string", {"field": field.name}),
                record.name.full,
                field.name,
                help=Text('use {{"type": "string", "logicalType": "uuid"}}'),
            )


RULE = Rule(name=NAME, category="types", severity=Severity.ERROR, check=check, is_strict=True)
