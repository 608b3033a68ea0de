"""decimal-precision-shrunk: old values may have more digits than the new precision allows."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.breaking.meaning import is_decimal, retyped
from treaty_codegen.finding import Finding, Proof, Severity, Text
from treaty_codegen.rule import Rule

NAME = "decimal-precision-shrunk"


def check(comparison: Comparison) -> Iterator[Finding]:
    """Java checks the precision when it writes, treaty also when it reads."""
    for change, old, new in retyped(comparison):
        if not (is_decimal(old) and is_decimal(new)) or old is None or new is None:
            continue
        if new.precision - new.scale >= old.precision - old.scale or old.scale != new.scale:
            continue
        digits = "9" * (old.precision - old.scale) + ("." + "9" * old.scale if old.scale else "")
        yield comparison.finding(
            NAME,
            category="meaning",
            severity=Severity.ERROR,
            at=change.place,
            message=Text(
                "`{path}` shrank from {before} to {after}: old values may not fit",
                {"path": change.path, "before": change.before, "after": change.after},
            ),
            help=Text("keep the precision, or add a new field"),
            names=(change.path, change.before, change.after),
            proof=Proof(
                value=digits,
                hex="",
                writer=comparison.against,
                reader="the new schema",
                error=f"{old.precision} digits, the schema allows {new.precision}",
            ),
        )


RULE = Rule(name=NAME, category="meaning", severity=Severity.ERROR, check=check)
