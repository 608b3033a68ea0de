"""promotion-loses-value: Avro may read the one type as the other, but not every value survives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from treaty_avro import Type
from treaty_codegen.breaking.facts import Comparison, Direction
from treaty_codegen.breaking.meaning import Retyped, retyped
from treaty_codegen.diff import describe
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.proof import prove_meaning
from treaty_codegen.rule import Rule

NAME = "promotion-loses-value"

LOST: Final[Mapping[tuple[str, str], Any]] = {
    ("int", "float"): 2**24 + 1,
    ("long", "float"): 2**24 + 1,
    ("long", "double"): 2**53 + 1,
    ("bytes", "string"): b"\xff\xfe",
}
"""(Written, read as) to the smallest value that is damaged: floats keep 24 bits, doubles 53; strings are UTF-8."""


def check(comparison: Comparison) -> Iterator[Finding]:
    """In every direction that the level promises; with level NONE in both. Source: Apache Avro, "Schema Resolution"."""
    directions: tuple[Direction, ...] = comparison.directions or ("backward", "forward")
    for row in retyped(comparison):
        if row.old.logical != row.new.logical:
            continue  # told as that: the value is another one anyway
        for direction in directions:
            written, read = (row.old, row.new) if direction == "backward" else (row.new, row.old)
            if (written.kind, read.kind) in LOST:
                yield lost(comparison, row, direction, written, read)


def lost(comparison: Comparison, row: Retyped, direction: Direction, written: Type, read: Type) -> Finding:
    sides = (comparison.against, "the new schema")
    writer, reader = sides if direction == "backward" else sides[::-1]
    values = (LOST[written.kind, read.kind],)
    return comparison.finding(
        NAME,
        category="meaning",
        severity=Severity.ERROR,
        at=row.change.place,
        message=Text(
            "`{path}`: {who} read {written} as {read}, which cannot hold every value",
            {
                "path": row.change.path,
                "who": "new readers" if direction == "backward" else "old readers",
                "written": describe(written),
                "read": describe(read),
            },
        ),
        help=Text("keep the type, or add a new field"),
        names=(direction, row.change.path, row.change.before, row.change.after),
        proof=comparison.prove(prove_meaning, written, read, writer=writer, reader=reader, values=values),
    )


RULE = Rule(name=NAME, category="meaning", severity=Severity.ERROR, check=check)
