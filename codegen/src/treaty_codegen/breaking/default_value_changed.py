"""default-value-changed: records of writers that lack the field are read otherwise than before."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_avro import MISSING
from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "default-value-changed"


def check(comparison: Comparison) -> Iterator[Finding]:
    """Only where both sides have a default: gaining or losing one is the business of the wire rules."""
    for change in comparison.changes:
        old, new = change.old_field, change.new_field
        if change.kind != "field-changed" or old is None or new is None:
            continue
        if old.default is MISSING or new.default is MISSING or repr(old.default) == repr(new.default):
            continue
        yield comparison.finding(
            NAME,
            category="meaning",
            severity=Severity.ERROR,
            at=change.place,
            message=Text(
                "the default of `{path}` changed from {before} to {after}: records without it are read otherwise",
                {"path": change.path, "before": repr(old.default), "after": repr(new.default)},
            ),
            help=Text("keep the default; a new default needs a new field"),
            names=(change.path, repr(old.default), repr(new.default)),
        )


RULE = Rule(name=NAME, category="meaning", severity=Severity.ERROR, check=check)
