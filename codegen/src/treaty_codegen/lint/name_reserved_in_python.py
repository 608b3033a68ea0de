"""name-reserved-in-python: a name is one that Python keeps for itself."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.names import FIELD_NAMES, MEMBER_NAMES, public_name
from treaty_codegen.rule import Rule

NAME = "name-reserved-in-python"


def check(facts: LintFacts) -> Iterator[Finding]:
    """The SDK appends an underscore: the code then says `event.from_`, and nobody guesses it."""
    for record, field in facts.fields():
        placed = public_name(field.name, reserved=FIELD_NAMES)
        if placed != field.name:
            yield finding(
                NAME,
                "names",
                Severity.ERROR,
                facts.at_field(record, field, "/name"),
                Text("`{name}` is `{placed}` in Python", {"name": field.name, "placed": placed}),
                record.name.full,
                field.name,
                help=Text("choose another word: sender for from, kind for class"),
            )
    for _, enum in facts.enums():
        for symbol in enum.symbols:
            placed = public_name(symbol, reserved=MEMBER_NAMES)
            if placed != symbol:
                yield finding(
                    NAME,
                    "names",
                    Severity.ERROR,
                    facts.at_type(enum, "/symbols"),
                    Text("symbol {name} is {placed} in Python", {"name": symbol, "placed": placed}),
                    enum.name.full,
                    symbol,
                    help=Text("choose another word"),
                )


RULE = Rule(name=NAME, category="names", severity=Severity.ERROR, check=check)
