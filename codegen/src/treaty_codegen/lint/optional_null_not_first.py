"""optional-null-not-first: an optional field does not name null first."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_avro import Field, Union
from treaty_codegen.finding import Finding, Operation, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding, is_optional
from treaty_codegen.rule import Rule

NAME = "optional-null-not-first"


def check(facts: LintFacts) -> Iterator[Finding]:
    """The default of an optional field is null, and a default belongs to the first branch for older readers."""
    for record, field in facts.fields():
        if (
            is_optional(field.type)
            and field.default is None
            and isinstance(field.type, Union)
            and field.type.branches[0].kind != "null"
        ):
            yield finding(
                NAME,
                "evolution",
                Severity.ERROR,
                facts.at_field(record, field, "/type"),
                Text("`{field}` is optional, but null is not its first branch", {"field": field.name}),
                record.name.full,
                field.name,
                help=Text('write ["null", …]'),
                fix=facts.fix(record, field, null_to_front(field)),
            )


def null_to_front(field: Field) -> Operation:
    """The move that puts null before the other branches."""
    branches = field.type.branches if isinstance(field.type, Union) else ()
    number = next((number for number, branch in enumerate(branches) if branch.kind == "null"), 0)
    place = f"{field.pointer}/type"
    return Operation(op="move", path=f"{place}/0", from_=f"{place}/{number}")


RULE = Rule(name=NAME, category="evolution", severity=Severity.ERROR, check=check)
