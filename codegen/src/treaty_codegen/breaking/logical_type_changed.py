"""logical-type-changed: the bytes stay readable, but they mean something else."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.breaking.meaning import meaning_finding, retyped
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "logical-type-changed"


def check(comparison: Comparison) -> Iterator[Finding]:
    """A logical type was added, removed or became another one; two decimals are the business of the decimal rules."""
    for row in retyped(comparison):
        if row.old.logical != row.new.logical and row.decimals is None:
            yield meaning_finding(
                comparison,
                NAME,
                row,
                step="/logicalType",
                damage="Avro still reads it, as another value",
                help=Text("keep `{path}` and add a new field with the new type", {"path": row.change.path}),
            )


RULE = Rule(name=NAME, category="meaning", severity=Severity.ERROR, check=check)
