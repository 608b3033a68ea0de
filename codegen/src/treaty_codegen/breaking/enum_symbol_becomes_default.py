"""enum-symbol-becomes-default: old readers take a new symbol for the default one."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_avro import Enum
from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "enum-symbol-becomes-default"


def check(comparison: Comparison) -> Iterator[Finding]:
    """The intended way to grow an enum; still, whoever acts on the default symbol acts on the new one too."""
    if comparison.directions == ("backward",):
        return  # old readers are gone before new records come
    for change in comparison.changes:
        if change.kind != "symbol-added" or not isinstance(change.old, Enum) or change.old.default is None:
            continue
        yield comparison.finding(
            NAME,
            category="meaning",
            severity=Severity.WARNING,
            at=change.place,
            step="/symbols",
            message=Text(
                "old readers take {after}, new in `{path}`, for {default}",
                {"after": change.after, "path": change.path, "default": change.old.default},
            ),
            help=Text("tell the readers that act on {default}", {"default": change.old.default}),
            names=(change.path, change.after, change.old.default),
            readers=comparison.matched_by(change.old.name.full),
        )


RULE = Rule(name=NAME, category="meaning", severity=Severity.WARNING, check=check)
