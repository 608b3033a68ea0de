"""decimal-scale-changed: the bytes of a decimal carry no scale, so 12.34 is read as 0.1234."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.breaking.meaning import meaning_finding, retyped
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "decimal-scale-changed"


def check(comparison: Comparison) -> Iterator[Finding]:
    """Source: Apache Avro specification, "Decimal": the scale is in the schema only."""
    for row in retyped(comparison):
        if row.decimals is None:
            continue
        old, new = row.decimals
        if old.scale != new.scale:
            yield meaning_finding(
                comparison,
                NAME,
                row,
                step="/scale",
                damage="every reader takes old amounts for others",
                help=Text(
                    "keep `{path}`, add `{path}_v2` with the new scale and deprecate `{path}`",
                    {"path": row.change.path},
                ),
            )


RULE = Rule(name=NAME, category="meaning", severity=Severity.ERROR, check=check)
