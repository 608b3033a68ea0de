"""field-renamed: an attribute of the generated class has another name."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "field-renamed"


def check(comparison: Comparison) -> Iterator[Finding]:
    """An alias keeps the bytes readable, not the code."""
    for change in comparison.changes:
        if change.kind == "field-renamed":
            yield comparison.finding(
                NAME,
                category="source",
                severity=Severity.ERROR,
                at=change.place,
                step="/name",
                message=Text(
                    "field `{before}` was renamed to `{path}`: code that reads it breaks with the next SDK",
                    {"path": change.path or "/", "before": change.before, "after": change.after},
                ),
                help=Text("add a new field and deprecate the old one"),
                names=(change.path, change.before, change.after),
                field=change.before,
            )


RULE = Rule(name=NAME, category="source", severity=Severity.ERROR, check=check)
