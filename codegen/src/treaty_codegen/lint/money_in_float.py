"""money-in-float: an amount of money is a binary fraction."""

from __future__ import annotations

import re
from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "money-in-float"

MONEY = re.compile(r"(^|_)(amount|price|total|fee|balance|cost)(_|$)")

PHYSICAL = re.compile(r"(^|_)(weight|size|duration|distance|length|volume|score|rate)(_|$)")
"""A total of these is no money."""


def check(facts: LintFacts) -> Iterator[Finding]:
    """0.1 + 0.2 is not 0.3 in binary; money is counted exactly."""
    for record, field in facts.fields():
        if MONEY.search(field.name) is None or PHYSICAL.search(field.name) is not None:
            continue
        binary = [leaf for leaf in facts.leaves(field) if leaf.kind in {"float", "double"}]
        if binary:
            yield finding(
                NAME,
                "types",
                Severity.ERROR,
                facts.at_leaf(record, binary[0]),
                Text("`{field}` is money in a {kind}", {"field": field.name, "kind": binary[0].kind}),
                record.name.full,
                field.name,
                help=Text("use a decimal, or a long of minor units"),
            )


RULE = Rule(name=NAME, category="types", severity=Severity.ERROR, check=check)
