"""What all meaning rules share: changes of a type that stays readable, at the place of the change."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_avro import Logical
from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.diff import Change
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.proof import prove_meaning


def retyped(comparison: Comparison) -> Iterator[tuple[Change, Logical | None, Logical | None]]:
    """Every change of type with the logical types of both sides."""
    for change in comparison.changes:
        if change.kind == "type-changed" and change.old is not None and change.new is not None:
            yield change, change.old.logical, change.new.logical


def meaning_finding(comparison: Comparison, rule: str, change: Change, *, message: Text, help: Text) -> Finding:
    """An error with a value that shows the damage, if one of the candidates does."""
    proof = None
    if change.old is not None and change.new is not None:
        proof = prove_meaning(change.old, change.new, writer=comparison.against, reader="the new schema")
    return comparison.finding(
        rule,
        category="meaning",
        severity=Severity.ERROR,
        at=change.place,
        message=message,
        help=help,
        names=(change.path, change.before, change.after),
        proof=proof,
    )


def is_decimal(logical: Logical | None) -> bool:
    return logical is not None and logical.kind == "decimal"
