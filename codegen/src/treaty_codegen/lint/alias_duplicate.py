"""alias-duplicate: an alias stands twice, or is the name of something else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "alias-duplicate"


def check(facts: LintFacts) -> Iterator[Finding]:
    """Avro takes the first that fits; which one that is differs between implementations."""
    for _, record in facts.records():
        names = [field.name for field in record.fields]
        taken: set[str] = set(names)
        for field in record.fields:
            for alias in doubled(field.aliases, taken):
                yield finding(
                    NAME,
                    "evolution",
                    Severity.ERROR,
                    facts.at_field(record, field, "/aliases"),
                    Text(
                        "alias `{alias}` of `{field}` is taken in {record}",
                        {"alias": alias, "field": field.name, "record": record.name.simple},
                    ),
                    record.name.full,
                    field.name,
                    alias,
                    help=Text("an alias names one old field, and no field that is still there"),
                )
    full_names = {named.name.full for _, named in facts.types()}
    for _, named in facts.types():
        for alias in doubled([each.full for each in named.aliases], full_names):
            yield finding(
                NAME,
                "evolution",
                Severity.ERROR,
                facts.at_type(named, "/aliases"),
                Text("alias {alias} of {name} is taken", {"alias": alias, "name": named.name.full}),
                named.name.full,
                alias,
                help=Text("an alias names one old type, and no type that is still there"),
            )


def doubled(aliases: Iterable[str], taken: set[str]) -> Iterator[str]:
    """The aliases that are taken already; all of them are afterwards."""
    for alias in aliases:
        if alias in taken:
            yield alias
        taken.add(alias)


RULE = Rule(name=NAME, category="evolution", severity=Severity.ERROR, check=check)
