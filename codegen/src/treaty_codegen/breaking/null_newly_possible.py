"""null-newly-possible: a field that always had a value may now be null."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "null-newly-possible"


def check(comparison: Comparison) -> Iterator[Finding]:
    """Readers that never checked for null now must."""
    for change in comparison.changes:
        if change.kind == "branch-added" and change.after == "null":
            yield comparison.finding(
                NAME,
                category="meaning",
                severity=Severity.WARNING,
                at=change.place,
                message=Text(
                    "`{path}` may now be null",
                    {"path": change.path or "/", "before": change.before, "after": change.after},
                ),
                help=Text("tell its readers, or keep the value required"),
                names=(change.path, change.before, change.after),
            )


RULE = Rule(name=NAME, category="meaning", severity=Severity.WARNING, check=check)
