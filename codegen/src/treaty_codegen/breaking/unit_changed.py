"""unit-changed: the number stays, what it counts does not."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_avro import Field
from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "unit-changed"


def check(comparison: Comparison) -> Iterator[Finding]:
    """The unit stands in the field's property ``treaty.unit``."""
    for change in comparison.changes:
        if change.kind != "field-changed":
            continue
        before, after = unit_of(change.old_field), unit_of(change.new_field)
        if before and before != after:
            yield comparison.finding(
                NAME,
                category="meaning",
                severity=Severity.ERROR,
                at=change.place,
                message=Text(
                    "the unit of `{path}` changed from {before} to {after}: every reader takes the numbers for others",
                    {"path": change.path, "before": before, "after": after or "none"},
                ),
                help=Text("keep the unit, and add a new field for the new one"),
                names=(change.path, before, after),
            )


def unit_of(field: Field | None) -> str:
    own = field.props.get("treaty") if field is not None else None
    return str(own.get("unit", "")) if isinstance(own, dict) else ""


RULE = Rule(name=NAME, category="meaning", severity=Severity.ERROR, check=check)
