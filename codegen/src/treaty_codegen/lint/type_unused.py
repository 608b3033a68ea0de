"""type-unused: an enum or fixed belongs to no event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from treaty_avro import Record
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.reach import named_within
from treaty_codegen.rule import Rule

NAME = "type-unused"


def check(facts: LintFacts) -> Iterator[Finding]:
    """What nobody uses is read as if it mattered. Records are the business of `event-without-topic`."""
    if not facts.catalog.topics:
        return
    shared = [named for file, named in facts.types() if named is file.schema.root and not isinstance(named, Record)]
    unused = {named.name.full for named in shared}
    for event in (event for topic in facts.catalog.topics.values() for event in topic.events):
        if not unused:
            return
        unused.difference_update(reached(facts, event))
    for named in shared:
        if named.name.full in unused:
            yield finding(
                NAME,
                "governance",
                Severity.ERROR,
                facts.at_type(named, "/name"),
                Text("no event uses {name}", {"name": named.name.full}),
                named.name.full,
                help=Text("remove the file, or use the type"),
            )


def reached(facts: LintFacts, event: str) -> Iterable[str]:
    """Full names of all types that an event is made of."""
    file = facts.catalog.by_name.get(event)
    return named_within(file.schema.root) if file is not None else ()


RULE = Rule(name=NAME, category="governance", severity=Severity.ERROR, check=check)
