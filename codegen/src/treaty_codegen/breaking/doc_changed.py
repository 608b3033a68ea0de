"""doc-changed: a doc text changed."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "doc-changed"


def check(comparison: Comparison) -> Iterator[Finding]:
    """Readers act on what the doc says: worth a look, never an error."""
    for change in comparison.changes:
        if change.kind == "doc-changed" and change.before.strip() and change.after.strip():
            yield comparison.finding(
                NAME,
                category="docs",
                severity=Severity.INFO,
                at=change.place,
                step="/doc",
                message=Text(
                    "the doc of `{path}` changed",
                    {"path": change.path or comparison.new.name, "before": change.before, "after": change.after},
                ),
                help=Text("check that the meaning did not"),
                names=(change.path, change.before, change.after),
            )


RULE = Rule(name=NAME, category="docs", severity=Severity.INFO, check=check)
