"""What all meaning rules share: changes of a type that stays readable, at the place of the change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from treaty_avro import Logical, Type
from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.diff import Change, is_promotable
from treaty_codegen.finding import Finding, Proof, Severity, Text
from treaty_codegen.proof import TRIES, prove_meaning


@dataclass(frozen=True, slots=True, kw_only=True)
class Retyped:
    """A change of type that Avro reads in one direction at least."""

    change: Change
    old: Type
    new: Type

    @property
    def decimals(self) -> tuple[Logical, Logical] | None:
        """Both sides, if both are decimals."""
        old, new = self.old.logical, self.new.logical
        if old is None or new is None or old.kind != "decimal" or new.kind != "decimal":
            return None
        return old, new


def retyped(comparison: Comparison) -> Iterator[Retyped]:
    """Every change of type that stays readable; the others are the business of the wire rules."""
    for change in comparison.changes:
        old, new = change.old, change.new
        if change.kind != "type-changed" or old is None or new is None:
            continue
        if old.kind == new.kind or is_promotable(old, new):
            yield Retyped(change=change, old=old, new=new)


def meaning_finding(comparison: Comparison, rule: str, row: Retyped, *, step: str, damage: str, help: Text) -> Finding:
    """An error at one key of the new type (``step``) with a value that shows the damage; where none does, it says so."""
    change = row.change
    proof = comparison.prove(prove_meaning, row.old, row.new, writer=comparison.against, reader="the new schema")
    return comparison.finding(
        rule,
        category="meaning",
        severity=Severity.ERROR,
        at=change.place,
        step=step,
        message=Text(
            "`{path}` changed from {before} to {after}: {damage}",
            {
                "path": change.path,
                "before": change.before,
                "after": change.after,
                "damage": seen_as(proof, damage) if comparison.proves else damage,
            },
        ),
        help=help,
        names=(change.path, change.before, change.after),
        proof=proof,
    )


def seen_as(proof: Proof | None, damage: str) -> str:
    if proof is None:
        return f"none of {TRIES} values is read otherwise"
    return damage if proof.error is None else "Avro's check accepts it, and readers refuse old values"
