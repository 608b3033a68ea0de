"""key-field-missing: a key names a field that an event lacks, or one that makes no key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.lint.keys import key_fields
from treaty_codegen.rule import Rule

NAME = "key-field-missing"

KINDS: Final = frozenset({"string", "int", "long", "boolean", "enum"})


def check(facts: LintFacts) -> Iterator[Finding]:
    """Without it no record can be written; the generator refuses as well, but only later."""
    for part in key_fields(facts):
        kind = part.fields[-1].type.kind if part.is_whole else ""
        if kind in KINDS:
            continue
        words = (
            "key `{path}` is of type {kind} in {event}" if kind else "{event} has no field `{path}`, which is its key"
        )
        yield finding(
            NAME,
            "governance",
            Severity.ERROR,
            part.at,
            Text(words, {"event": part.event.name.full, "path": part.path, "kind": kind}),
            part.topic.name,
            part.event.name.full,
            part.path,
            help=Text("a key is a string, an int, a long, a boolean or an enum, and not optional"),
        )


RULE = Rule(name=NAME, category="governance", severity=Severity.ERROR, check=check)
