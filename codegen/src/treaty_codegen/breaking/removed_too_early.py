"""removed-too-early: a deprecated field goes before the day that its readers were given."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule
from treaty_codegen.tags import deprecation

NAME = "removed-too-early"


def check(comparison: Comparison) -> Iterator[Finding]:
    """Against the newest version: `remove_after` was a promise to whoever reads the field. Without a clock nothing is said."""
    for change in comparison.changes:
        field = change.old_field
        if change.kind != "field-removed" or field is None or comparison.today is None:
            continue
        promised = deprecation(field)
        if promised is None or not promised.remove_after or comparison.today.isoformat() > promised.remove_after:
            continue
        yield comparison.finding(
            NAME,
            category="policy",
            severity=Severity.ERROR,
            at=change.place,
            message=Text(
                "field `{path}` was promised to stay until {until}, and is gone",
                {"path": change.path, "until": promised.remove_after},
            ),
            help=Text("put it back until then; readers plan by that day"),
            names=("early", change.path, promised.remove_after),
        )


RULE = Rule(name=NAME, category="policy", severity=Severity.ERROR, check=check)
