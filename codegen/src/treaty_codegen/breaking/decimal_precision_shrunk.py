"""decimal-precision-shrunk: values that were written may have more digits than the reader's precision allows."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from treaty_avro import Logical
from treaty_codegen.breaking.facts import Comparison, Direction
from treaty_codegen.breaking.meaning import Retyped, retyped
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.proof import prove_meaning
from treaty_codegen.rule import Rule

NAME = "decimal-precision-shrunk"


def check(comparison: Comparison) -> Iterator[Finding]:
    """Java checks the precision when it writes, treaty also when it reads. Another scale is the business of its own rule.

    A precision that grew is small for old readers: a warning where the level promises that they go on.
    """
    for row in retyped(comparison):
        if row.decimals is None or row.decimals[0].scale != row.decimals[1].scale:
            continue
        old, new = row.decimals
        if new.precision < old.precision:
            yield too_long(comparison, row, "backward", old)
        elif new.precision > old.precision and "forward" in comparison.directions:
            yield too_long(comparison, row, "forward", new)


def too_long(comparison: Comparison, row: Retyped, direction: Direction, written: Logical) -> Finding:
    change, is_backward = row.change, direction == "backward"
    types, sides = (row.old, row.new), (comparison.against, "the new schema")
    (writer_type, reader_type), (writer, reader) = (types, sides) if is_backward else (types[::-1], sides[::-1])
    largest = Decimal((0, (9,) * written.precision, -written.scale))
    return comparison.finding(
        NAME,
        category="meaning",
        severity=Severity.ERROR if is_backward else Severity.WARNING,
        at=change.place,
        step="/precision",
        message=Text(
            "`{path}` shrank from {before} to {after}: old values may not fit"
            if is_backward
            else "`{path}` grew from {before} to {after}: old readers may refuse new values",
            {"path": change.path, "before": change.before, "after": change.after},
        ),
        help=Text("keep the precision, or add a new field" if is_backward else "deploy the readers first"),
        names=(change.path, change.before, change.after),
        proof=comparison.prove(
            prove_meaning, writer_type, reader_type, writer=writer, reader=reader, values=(largest,)
        ),
    )


RULE = Rule(name=NAME, category="meaning", severity=Severity.ERROR, check=check)
