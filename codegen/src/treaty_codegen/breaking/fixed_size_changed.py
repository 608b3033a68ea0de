"""fixed-size-changed: a fixed has another size."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.breaking.wire import WireFact, wire_findings
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "fixed-size-changed"


def check(comparison: Comparison) -> Iterator[Finding]:
    """The size is not in the bytes, so no reader can bridge it."""
    yield from wire_findings(comparison, NAME, "FIXED_SIZE_MISMATCH", message=sentence, help=advice)


def sentence(fact: WireFact) -> Text:
    return Text(
        "the fixed at `{path}` changed its size ({avro}): {reader} cannot read {records}",
        {"path": fact.path or "/", "avro": fact.found.message, "reader": fact.reader, "records": fact.records},
    )


def advice(_fact: WireFact) -> Text:
    return Text("add a new fixed of the new size in a new field")


RULE = Rule(name=NAME, category="wire", severity=Severity.ERROR, check=check)
