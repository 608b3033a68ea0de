"""promotion-loses-value: Avro may read the old type as the new one, but not every value survives."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.breaking.meaning import retyped
from treaty_codegen.finding import Finding, Proof, Severity, Text
from treaty_codegen.rule import Rule

NAME = "promotion-loses-value"

LOSSES = {
    ("int", "float"): Proof(value="16777217", hex="82 80 80 10", writer="int", reader="float", read_as="16777216.0"),
    ("long", "float"): Proof(value="16777217", hex="82 80 80 10", writer="long", reader="float", read_as="16777216.0"),
    ("long", "double"): Proof(
        value="9007199254740993",
        hex="82 80 80 80 80 80 80 20",
        writer="long",
        reader="double",
        read_as="9007199254740992.0",
    ),
    ("bytes", "string"): Proof(
        value="bytes ff fe", hex="04 ff fe", writer="bytes", reader="string", error="not valid UTF-8"
    ),
}
"""The smallest value that each promotion damages (floats keep 24 bits, doubles 53; strings are UTF-8)."""


def check(comparison: Comparison) -> Iterator[Finding]:
    """Source of the promotions: Apache Avro specification, "Schema Resolution"."""
    for change, _old, _new in retyped(comparison):
        if change.old is None or change.new is None:
            continue
        proof = LOSSES.get((change.old.kind, change.new.kind))
        if proof is None:
            continue
        yield comparison.finding(
            NAME,
            category="meaning",
            severity=Severity.ERROR,
            at=change.place,
            message=Text(
                "`{path}` is promoted from {before} to {after}, which cannot hold every value",
                {"path": change.path, "before": change.before, "after": change.after},
            ),
            help=Text("keep the type, or add a new field"),
            names=(change.path, change.before, change.after),
            proof=proof,
        )


RULE = Rule(name=NAME, category="meaning", severity=Severity.ERROR, check=check)
