"""name-case-collision: two names differ in upper and lower case only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "name-case-collision"


def check(facts: LintFacts) -> Iterator[Finding]:
    """Files, columns and many languages do not tell `orderId` from `OrderID`."""
    for _, record in facts.records():
        for name, other in twins([field.name for field in record.fields]):
            field = next(each for each in record.fields if each.name == name)
            yield finding(
                NAME,
                "names",
                Severity.ERROR,
                facts.at_field(record, field, "/name"),
                Text("`{name}` and `{other}` differ in case only", {"name": name, "other": other}),
                record.name.full,
                name,
                help=Text("rename one of them"),
            )
    for _, enum in facts.enums():
        for name, other in twins(enum.symbols):
            yield finding(
                NAME,
                "names",
                Severity.ERROR,
                facts.at_type(enum, "/symbols"),
                Text("symbols {name} and {other} differ in case only", {"name": name, "other": other}),
                enum.name.full,
                name,
                help=Text("rename one of them"),
            )
    types = {named.name.full: named for _, named in facts.types()}
    for name, other in twins(types):
        yield finding(
            NAME,
            "names",
            Severity.ERROR,
            facts.at_type(types[name], "/name"),
            Text("{name} and {other} differ in case only", {"name": name, "other": other}),
            name,
            help=Text("rename one of them"),
        )


def twins(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(name, the earlier one that it collides with)."""
    seen: dict[str, str] = {}
    for name in names:
        earlier = seen.setdefault(name.casefold(), name)
        if earlier != name:
            yield name, earlier


RULE = Rule(name=NAME, category="names", severity=Severity.ERROR, check=check)
