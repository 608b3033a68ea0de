"""field-removed: an attribute of the generated class goes."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.facts import Comparison, field_of
from treaty_codegen.diff import Change
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "field-removed"


def check(comparison: Comparison) -> Iterator[Finding]:
    """Code that reads the attribute stops working with the next SDK."""
    for change in comparison.changes:
        if change.kind == "field-removed":
            yield comparison.finding(
                NAME,
                category="source",
                severity=severity_of(comparison, change),
                at=change.place,
                message=Text(
                    "field `{path}` ({before}) was removed: code that reads it breaks with the next SDK",
                    {"path": change.path or "/", "before": change.before, "after": change.after},
                ),
                help=Text("deprecate it first, and remove it when no reader is left"),
                names=(change.path, change.before, change.after),
            )


def severity_of(comparison: Comparison, change: Change) -> Severity:
    """A warning only if the event has declared readers, the code of all was looked at, and none reads it or may."""
    readers = comparison.readers
    if readers is None or comparison.event not in readers.complete:
        return Severity.ERROR
    is_read = comparison.read_by(change.place.owner, field_of(change.path))
    return Severity.ERROR if is_read else Severity.WARNING


RULE = Rule(name=NAME, category="source", severity=Severity.ERROR, check=check)
