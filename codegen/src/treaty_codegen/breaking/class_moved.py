"""class-moved: a generated class has another name or another module."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "class-moved"


def check(comparison: Comparison) -> Iterator[Finding]:
    """An alias keeps the bytes readable; `from mall_events.order import OrderPaid` stops working all the same."""
    for change in comparison.changes:
        if change.kind in {"name-changed", "namespace-changed"}:
            yield comparison.finding(
                NAME,
                category="source",
                severity=Severity.ERROR,
                at=change.place,
                step="/name" if change.kind == "name-changed" else "/namespace",
                message=Text(
                    "{before} is {after} now: code that imports the class breaks with the next SDK",
                    {"before": change.before, "after": change.after},
                ),
                help=Text("keep the full name; a new event needs a new name, an old one keeps its own"),
                names=("class", change.before, change.after),
            )


RULE = Rule(name=NAME, category="source", severity=Severity.ERROR, check=check)
