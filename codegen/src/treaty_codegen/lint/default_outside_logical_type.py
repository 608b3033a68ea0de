"""default-outside-logical-type: a default fits the bytes and not what they mean."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_avro import MISSING, AvroError, Field, Name, Record, Schema, compile_generic
from treaty_codegen.diff import describe
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.reach import parts
from treaty_codegen.rule import Rule

NAME = "default-outside-logical-type"


def check(facts: LintFacts) -> Iterator[Finding]:
    """The parser looks at the raw type; a reader that needs the default gets no date, uuid or decimal out of it."""
    for record, field in facts.fields():
        if field.default is not MISSING and may_be_outside(field) and (reason := refusal(field)):
            yield finding(
                NAME,
                "evolution",
                Severity.ERROR,
                facts.at_field(record, field, "/default"),
                Text(
                    "the default of `{field}` is no {type}: {reason}",
                    {"field": field.name, "type": describe(field.type), "reason": reason},
                ),
                record.name.full,
                field.name,
                help=Text("write a default that the logical type has a value for"),
            )


def may_be_outside(field: Field) -> bool:
    """Whether it is worth asking the codec: not for null, nor where no logical type is within reach."""
    if field.default is None:
        return False
    waiting, seen = [field.type], set[int]()
    while waiting:
        type_ = waiting.pop()
        if type_.logical is not None:
            return True
        if id(type_) not in seen:
            seen.add(id(type_))
            waiting.extend(parts(type_))
    return False


def refusal(field: Field) -> str:
    """Why a reader cannot take the default of a field that the writer lacks; "" if it can."""
    name = Name("", "R")
    writer, reader = Record(name=name), Record(name=name, fields=(field,))
    try:
        _, decode = compile_generic(Schema(root=reader, named={}, text=""), Schema(root=writer, named={}, text=""))
        decode(b"")
    except AvroError as error:
        return str(getattr(error, "reason", error)).rpartition(" is unusable: ")[2]
    return ""


RULE = Rule(name=NAME, category="evolution", severity=Severity.ERROR, check=check)
