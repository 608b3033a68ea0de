"""default-not-first-branch: a union's default does not belong to its first branch."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_avro import MISSING, Enum, Type, Union
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "default-not-first-branch"

JSON_OF = {
    "null": type(None),
    "boolean": bool,
    "int": int,
    "long": int,
    "float": float,
    "double": float,
    "array": list,
    "map": dict,
    "record": dict,
}
"""Kind to the Python type of its JSON; all others are texts."""


def check(facts: LintFacts) -> Iterator[Finding]:
    """Readers written before Avro 1.12 may take the default for the first branch's. Default null: ``optional-null-not-first``."""
    for record, field in facts.fields():
        default = field.default
        if not isinstance(field.type, Union) or default is MISSING or default is None or not field.type.branches:
            continue
        if not may_hold(field.type.branches[0], default):
            yield finding(
                NAME,
                "evolution",
                Severity.ERROR,
                facts.at_field(record, field, "/default"),
                Text("the default of `{field}` is not of its first branch", {"field": field.name}),
                record.name.full,
                field.name,
                help=Text("put the default's branch first"),
            )


def may_hold(type_: Type, value: object) -> bool:
    """Whether a JSON value is of the kind that a type's defaults have; the parser has checked that some branch takes it."""
    wanted = JSON_OF.get(type_.kind, str)
    if isinstance(type_, Enum):
        return value in type_.symbols
    if wanted is float and not isinstance(value, bool):
        return isinstance(value, int | float)
    return type(value) is wanted


RULE = Rule(name=NAME, category="evolution", severity=Severity.ERROR, check=check)
