"""default-value-changed: records of writers that lack the field are read otherwise than before."""

from __future__ import annotations

import json
from collections.abc import Iterator

from treaty_avro import MISSING, Record
from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.diff import Change, is_same_json
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.proof import prove_default
from treaty_codegen.reach import named_within
from treaty_codegen.rule import Rule

NAME = "default-value-changed"


def check(comparison: Comparison) -> Iterator[Finding]:
    """An error only if a known version lacks the field: its records are the ones that are read otherwise.

    Both sides have a default here: gaining or losing one is the business of the wire rules.
    """
    for change in comparison.changes:
        old, new = change.old_field, change.new_field
        if change.kind != "field-changed" or old is None or new is None:
            continue
        if old.default is MISSING or new.default is MISSING or is_same_json(old.default, new.default):
            continue
        before, after = (json.dumps(side.default, ensure_ascii=False) for side in (old, new))
        is_read = is_lacking_somewhere(comparison, change)
        why = "records without it are read otherwise" if is_read else "no known version lacks the field"
        yield comparison.finding(
            NAME,
            category="meaning",
            severity=Severity.ERROR if is_read else Severity.INFO,
            at=change.place,
            step="/default",
            message=Text(
                "the default of `{path}` changed from {before} to {after}: {why}",
                {"path": change.path, "before": before, "after": after, "why": why},
            ),
            help=Text("keep the default; a new default needs a new field"),
            names=(change.path, before, after),
            proof=comparison.prove(prove_default, before, after, writer="an older writer", reader="the new schema")
            if is_read
            else None,
        )


def is_lacking_somewhere(comparison: Comparison, change: Change) -> bool:
    """Whether a known old version has the record without the field, under any of its names."""
    field = change.new_field
    names = {field.name, *field.aliases} if field is not None else set()
    for schema in comparison.history:
        # The event itself may have had another name then; what it holds is found by name.
        owner = schema.root if "." not in change.path else named_within(schema.root).get(change.place.owner)
        if isinstance(owner, Record) and names.isdisjoint(field.name for field in owner.fields):
            return True
    return False


RULE = Rule(name=NAME, category="meaning", severity=Severity.ERROR, check=check)
