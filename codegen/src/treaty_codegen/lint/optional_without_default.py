"""optional-without-default: an optional field has no default."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_avro import MISSING, Field, Union
from treaty_codegen.finding import Finding, Operation, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding, is_optional
from treaty_codegen.lint.optional_null_not_first import null_to_front
from treaty_codegen.rule import Rule

NAME = "optional-without-default"


def check(facts: LintFacts) -> Iterator[Finding]:
    """Without a default it is required in every constructor and cannot be removed later."""
    for record, field in facts.fields():
        if is_optional(field.type) and field.default is MISSING:
            yield finding(
                NAME,
                "evolution",
                Severity.ERROR,
                facts.at_field(record, field),
                Text("`{field}` is optional, but has no default", {"field": field.name}),
                record.name.full,
                field.name,
                help=Text('add "default": null'),
                fix=facts.fix(record, field, *default_null(field)),
            )


def default_null(field: Field) -> Iterator[Operation]:
    """The default, and before it null to the front, where older readers look for it."""
    if isinstance(field.type, Union) and field.type.branches[0].kind != "null":
        yield null_to_front(field)
    yield Operation(op="add", path=f"{field.pointer}/default", value=None)


RULE = Rule(name=NAME, category="evolution", severity=Severity.ERROR, check=check)
