"""enum-symbol-reordered: the order of an enum's symbols changed."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "enum-symbol-reordered"


def check(comparison: Comparison) -> Iterator[Finding]:
    """Avro matches symbols by name, but readers that use ordinals see others. A symbol put before others moves them too."""
    for change in comparison.changes:
        if change.kind == "symbols-reordered":
            yield comparison.finding(
                NAME,
                category="meaning",
                severity=Severity.WARNING,
                at=change.place,
                step="/symbols",
                message=Text(
                    "the symbols of `{path}` were moved: readers that go by position see other symbols",
                    {"path": change.path or "/", "before": change.before, "after": change.after},
                ),
                help=Text("keep the order and append new symbols at the end"),
                names=(change.path, change.before, change.after),
            )


RULE = Rule(name=NAME, category="meaning", severity=Severity.WARNING, check=check)
