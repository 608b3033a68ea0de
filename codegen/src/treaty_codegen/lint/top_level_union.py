"""top-level-union: a file holds a union and no named type."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_avro import Union
from treaty_codegen.finding import Finding, Location, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "top-level-union"


def check(facts: LintFacts) -> Iterator[Finding]:
    """A union has no name: no subject, no class, no reference can be made to it."""
    for file in facts.catalog.files.values():
        if isinstance(file.schema.root, Union):
            yield finding(
                NAME,
                "evolution",
                Severity.ERROR,
                Location(path=facts.places.root + file.path),
                Text("the file is a union of {count} branches", {"count": str(len(file.schema.root.branches))}),
                file.path,
                help=Text("one named type a file; an event that may be one of several is several events"),
            )


RULE = Rule(name=NAME, category="evolution", severity=Severity.ERROR, check=check)
