"""quantity-without-unit: a number that counts something does not say in what."""

from __future__ import annotations

import re
from collections.abc import Iterator

from treaty_avro import Type
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding, treaty_props
from treaty_codegen.rule import Rule

NAME = "quantity-without-unit"

QUANTITY = re.compile(r"(^|_)(amount|price|total|fee|size|duration|weight|ttl)(_|$)")


def check(facts: LintFacts) -> Iterator[Finding]:
    """Cents or yuan, ms or s: a factor of 100 or 1000 in somebody's report."""
    for record, field in facts.fields():
        if (
            QUANTITY.search(field.name)
            and any(map(is_number, facts.leaves(field)))
            and not treaty_props(field.props).get("unit")
        ):
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


def is_number(type_: Type) -> bool:
    """A bare number or a decimal; dates and times say their unit themselves."""
    if type_.logical is not None:
        return type_.logical.kind == "decimal"
    return type_.kind in {"int", "long", "float", "double"}


RULE = Rule(name=NAME, category="docs", severity=Severity.ERROR, check=check)
