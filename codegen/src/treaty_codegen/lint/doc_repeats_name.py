"""doc-repeats-name: a doc says nothing but the name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest

from treaty_codegen.contract import snake_case
from treaty_codegen.finding import Finding, Location, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "doc-repeats-name"

WORD = re.compile(r"[a-z0-9]+")

ARTICLES = frozenset({"the", "a", "an", "of"})

FIRST = re.compile(r"(?:[^a-z0-9]*+(?:the|an?|of)(?![a-z0-9]))*+[^a-z0-9]*+([a-z0-9]+)")
"""The first word of a doc in small letters. Possessive: a doc of a megabyte is looked through once."""


def check(facts: LintFacts) -> Iterator[Finding]:
    """A doc that repeats the name looks like a doc and helps nobody."""
    for _, record in facts.records():
        if repeats(record.doc, record.name.simple):
            yield about(facts.at_type(record, "/doc"), record.name.full, record.name.simple)
    for record, field in facts.fields():
        if repeats(field.doc, field.name):
            yield about(facts.at_field(record, field, "/doc"), record.name.full, field.name)


def repeats(doc: str | None, name: str) -> bool:
    """Whether a doc has the words of the name and no other."""
    # Most docs say something else with their first word already, and are not looked at any further.
    first = FIRST.match(doc.lower()) if doc else None
    if not doc or (first is not None and first[1] not in name.lower()):
        return False
    return all(said == own for said, own in zip_longest(words(doc), words(snake_case(name))))


def about(at: Location, owner: str, name: str) -> Finding:
    """The finding; a place costs a look through the whole file, so it is only sought where something is found."""
    return finding(
        NAME,
        "docs",
        Severity.ERROR,
        at,
        Text("the doc of `{name}` only repeats its name", {"name": name}),
        owner,
        name,
        help=Text("say what it means: its unit and range, or what had to happen"),
    )


def words(text: str) -> Iterator[str]:
    """The words of a doc or a snake_case name, without articles."""
    return (word for found in WORD.finditer(text.lower()) if (word := found[0]) not in ARTICLES)


RULE = Rule(name=NAME, category="docs", severity=Severity.ERROR, check=check)
