"""pii-tag-removed: a field that was marked as personal data no longer is, or as data of another kind."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule
from treaty_codegen.tags import personal_data

NAME = "pii-tag-removed"


def check(comparison: Comparison) -> Iterator[Finding]:
    """Masking, retention and who may read follow the tag; the same data without it goes everywhere."""
    for change in comparison.changes:
        if change.kind != "field-changed" or change.old_field is None or change.new_field is None:
            continue
        before, after = personal_data(change.old_field), personal_data(change.new_field)
        if before is None or before == after:
            continue
        yield comparison.finding(
            NAME,
            category="policy",
            severity=Severity.ERROR,
            at=change.place,
            step="/treaty/pii",
            message=Text(
                "`{path}` says {after} where it said {before}"
                if after
                else "`{path}` is no longer marked as personal data ({before})",
                {"path": change.path, "before": before, "after": after or ""},
            ),
            help=Text("put the tag back, or ask the owner of personal data for a waiver"),
            names=("pii", change.path, before, after or ""),
        )


RULE = Rule(name=NAME, category="policy", severity=Severity.ERROR, check=check)
