"""decimal-scale-changed: the bytes of a decimal carry no scale, so 12.34 is read as 0.1234."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.breaking.meaning import is_decimal, meaning_finding, retyped
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "decimal-scale-changed"


def check(comparison: Comparison) -> Iterator[Finding]:
    """Source: Apache Avro specification, "Decimal": the scale is in the schema only."""
    for change, old, new in retyped(comparison):
        if not (is_decimal(old) and is_decimal(new)) or old is None or new is None or old.scale == new.scale:
            continue
        yield meaning_finding(
            comparison,
            NAME,
            change,
            message=Text(
                "`{path}` changed from {before} to {after}: every reader takes old amounts for others",
                {"path": change.path, "before": change.before, "after": change.after},
            ),
            help=Text(
                "keep `{path}`, add `{path}_v2` with the new scale and deprecate `{path}`", {"path": change.path}
            ),
        )


RULE = Rule(name=NAME, category="meaning", severity=Severity.ERROR, check=check)
