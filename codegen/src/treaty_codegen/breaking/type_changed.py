"""type-changed: a type is neither equal nor promotable to the other."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.breaking.wire import WireFact, wire_findings
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "type-changed"


def check(comparison: Comparison) -> Iterator[Finding]:
    """Source of the promotions: Apache Avro specification, "Schema Resolution"."""
    yield from wire_findings(comparison, NAME, "TYPE_MISMATCH", message=sentence, help=advice)


def sentence(fact: WireFact) -> Text:
    return Text(
        "type of `{path}` changed: {reader} cannot read {records} ({avro})",
        {"path": fact.path, "reader": fact.reader, "records": fact.records, "avro": fact.found.message},
    )


def advice(_fact: WireFact) -> Text:
    return Text("keep the field as it is and add a new one with the new type and a default")


RULE = Rule(name=NAME, category="wire", severity=Severity.ERROR, check=check)
