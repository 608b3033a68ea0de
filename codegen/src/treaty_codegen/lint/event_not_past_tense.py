"""event-not-past-tense: an event is not named as a fact in the past."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from treaty_codegen.contract import snake_case
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "event-not-past-tense"

_WORDS: Final = (
    "begun bid bought broken brought built burnt caught chosen come cut dealt done drawn driven fallen fed fought found "
    "frozen gone given grown held hit hidden hurt kept known laid led left lent lost made met overdue paid put read "
    "risen run said seen sent set shown shut sold spent split spoken taken taught thrown told understood withdrawn woken "
    "won worn written "
)
IRREGULAR: Final = frozenset(_WORDS.split())
"""Participles that do not end in -ed."""


def check(facts: LintFacts) -> Iterator[Finding]:
    """`OrderPay` reads like an order to somebody; what has happened cannot be refused."""
    events = {event for topic in facts.catalog.topics.values() for event in topic.events}
    for _, record in facts.records():
        if record.name.full in events and not says_past(record.name.simple):
            yield finding(
                NAME,
                "names",
                Severity.ERROR,
                facts.at_type(record, "/name"),
                Text("{name} does not say what happened", {"name": record.name.simple}),
                record.name.full,
                help=Text("name it like OrderPaid, SignedUp"),
            )


def says_past(name: str) -> bool:
    """Whether one of the words of a PascalCase name is a participle: `OrderPaid`, `UserLoggedIn`."""
    return any(word in IRREGULAR or (len(word) > 3 and word.endswith("ed")) for word in snake_case(name).split("_"))


RULE = Rule(name=NAME, category="names", severity=Severity.ERROR, check=check, is_strict=True)
