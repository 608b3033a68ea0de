"""symbol-removed: a member of a generated enum goes."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "symbol-removed"


def check(comparison: Comparison) -> Iterator[Finding]:
    """Code that names the member stops working with the next SDK."""
    for change in comparison.changes:
        if change.kind == "symbol-removed":
            yield comparison.finding(
                NAME,
                category="source",
                severity=Severity.ERROR,
                at=change.place,
                step="/symbols",
                message=Text(
                    "symbol {before} of `{path}` was removed: code that names it breaks with the next SDK",
                    {"path": change.path or "/", "before": change.before, "after": change.after},
                ),
                help=Text("keep the symbol and deprecate it"),
                names=(change.path, change.before, change.after),
            )


RULE = Rule(name=NAME, category="source", severity=Severity.ERROR, check=check)
