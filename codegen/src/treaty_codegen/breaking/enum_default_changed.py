"""enum-default-changed: symbols that a reader does not know are taken for another one than before."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "enum-default-changed"


def check(comparison: Comparison) -> Iterator[Finding]:
    """Unknown symbols are read as the enum's default, so another default changes what old code sees."""
    for change in comparison.changes:
        if change.kind == "enum-default-changed":
            yield comparison.finding(
                NAME,
                category="meaning",
                severity=Severity.ERROR,
                at=change.place,
                message=Text(
                    "the default symbol at `{path}` changed from {before} to {after}: unknown symbols are read otherwise",
                    {"path": change.path or "/", "before": change.before, "after": change.after},
                ),
                help=Text("keep the default symbol"),
                names=(change.path, change.before, change.after),
            )


RULE = Rule(name=NAME, category="meaning", severity=Severity.ERROR, check=check)
