"""union-ambiguous: two branches of a union look alike in many languages."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_avro import Record, Union
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding, unions
from treaty_codegen.rule import Rule

NAME = "union-ambiguous"

ALIKE = (("int", "long"), ("float", "double"), ("string", "enum"), ("bytes", "fixed"))


def check(facts: LintFacts) -> Iterator[Finding]:
    """A JSON or Python value does not say whether 1 was int or long."""
    for record, field in facts.fields():
        for union in unions(field.type):
            clash = clash_in(union)
            if clash is None:
                continue
            yield finding(
                NAME,
                "evolution",
                Severity.ERROR,
                facts.at_leaf(record, union),
                Text(
                    "`{field}` may be {clash}: many languages cannot tell which",
                    {"field": field.name, "clash": " or ".join(clash)},
                ),
                record.name.full,
                field.name,
                help=Text("keep one of them, or put each into a record of its own shape"),
            )


def clash_in(union: Union) -> tuple[str, str] | None:
    """The first two branches that look alike, in words; None if all differ."""
    kinds = {branch.kind for branch in union.branches}
    if pair := next((pair for pair in ALIKE if kinds.issuperset(pair)), None):
        return pair
    shapes: dict[frozenset[str], str] = {}
    for branch in union.branches:
        if isinstance(branch, Record):
            shape = frozenset(field.name for field in branch.fields)
            if shape in shapes:
                return shapes[shape], branch.name.simple
            shapes[shape] = branch.name.simple
    return None


RULE = Rule(name=NAME, category="evolution", severity=Severity.ERROR, check=check)
