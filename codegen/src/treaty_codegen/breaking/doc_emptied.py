"""doc-emptied: a doc text was removed."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "doc-emptied"


def check(comparison: Comparison) -> Iterator[Finding]:
    """What nobody describes, everybody guesses."""
    for change in comparison.changes:
        if change.kind == "doc-changed" and change.before.strip() and not change.after.strip():
            yield comparison.finding(
                NAME,
                category="docs",
                severity=Severity.WARNING,
                at=change.place,
                step="/doc",
                message=Text(
                    "the doc of `{path}` was removed",
                    {"path": change.path or comparison.new.name, "before": change.before, "after": change.after},
                ),
                help=Text("put it back"),
                names=(change.path, change.before, change.after),
            )


RULE = Rule(name=NAME, category="docs", severity=Severity.WARNING, check=check)
