"""logical-type-on-field: the logical type stands beside the field's type, where Avro ignores it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from treaty_avro import Field, Primitive, parse
from treaty_codegen.finding import Finding, Operation, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "logical-type-on-field"


def check(facts: LintFacts) -> Iterator[Finding]:
    """Avro reads logicalType only inside the type's own object."""
    for record, field in facts.fields():
        if "logicalType" in field.props:
            yield finding(
                NAME,
                "types",
                Severity.ERROR,
                facts.at_field(record, field, "/logicalType"),
                Text("the logicalType of `{field}` stands on the field and is ignored", {"field": field.name}),
                record.name.full,
                field.name,
                help=Text('write "type": {{"type": "long", "logicalType": "…"}}'),
                fix=facts.fix(record, field, *into_the_type(field)),
            )


def into_the_type(field: Field) -> Iterator[Operation]:
    """The logical type and what belongs to it, inside the type's own object; nothing for a type that is more than a word."""
    if not isinstance(field.type, Primitive) or field.type.props or field.type.logical is not None:
        return
    own = {key: field.props[key] for key in ("logicalType", "precision", "scale") if key in field.props}
    value = {"type": field.type.kind, **own}
    if getattr(parse(json.dumps(value), rules="stored").root, "logical", None) is None:
        return  # it would be ignored there too
    yield Operation(op="replace", path=f"{field.pointer}/type", value=value)
    for key in own:
        yield Operation(op="remove", path=f"{field.pointer}/{key}")


RULE = Rule(name=NAME, category="types", severity=Severity.ERROR, check=check)
