"""quantity-without-unit: a number that counts something does not say in what."""

from __future__ import annotations

import re
from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, branches, finding, treaty_props
from treaty_codegen.rule import Rule

NAME = "quantity-without-unit"

QUANTITY = re.compile(r"(^|_)(amount|price|total|fee|size|duration|weight|ttl)(_|$)")


def check(facts: LintFacts) -> Iterator[Finding]:
    """Cents or yuan, ms or s: a factor of 100 or 1000 in somebody's report."""
    for record, field in facts.fields():
        numeric = any(branch.kind in {"int", "long", "float", "double"} for branch in branches(field.type))
        if QUANTITY.search(field.name) and numeric and not treaty_props(field.props).get("unit"):
            yield finding(
                NAME,
                "docs",
                Severity.ERROR,
                facts.at_field(record, field),
                Text("`{field}` is a quantity without a unit", {"field": field.name}),
                record.name.full,
                field.name,
                help=Text('add "treaty": {{"unit": "CNY/100"}} to the field'),
            )


RULE = Rule(name=NAME, category="docs", severity=Severity.ERROR, check=check)
