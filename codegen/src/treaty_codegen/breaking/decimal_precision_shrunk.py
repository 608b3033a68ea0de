"""decimal-precision-shrunk: old values may have more digits than the new precision allows."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.breaking.meaning import retyped
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.proof import prove_meaning
from treaty_codegen.rule import Rule

NAME = "decimal-precision-shrunk"


def check(comparison: Comparison) -> Iterator[Finding]:
    """Java checks the precision when it writes, treaty also when it reads. Another scale is the business of its own rule."""
    for row in retyped(comparison):
        if row.decimals is None:
            continue
        old, new = row.decimals
        if old.scale != new.scale or new.precision >= old.precision:
            continue
        change = row.change
        largest = Decimal((0, (9,) * old.precision, -old.scale))
        yield comparison.finding(
            NAME,
            category="meaning",
            severity=Severity.ERROR,
            at=change.place,
            step="/precision",
            message=Text(
                "`{path}` shrank from {before} to {after}: old values may not fit",
                {"path": change.path, "before": change.before, "after": change.after},
            ),
            help=Text("keep the precision, or add a new field"),
            names=(change.path, change.before, change.after),
            proof=prove_meaning(
                row.old, row.new, writer=comparison.against, reader="the new schema", values=(largest,)
            ),
        )


RULE = Rule(name=NAME, category="meaning", severity=Severity.ERROR, check=check)
