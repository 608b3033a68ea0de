"""union-branch-missing: a writer may send a branch that the reader's type does not take."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.breaking.wire import WireFact, wire_findings
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "union-branch-missing"


def check(comparison: Comparison) -> Iterator[Finding]:
    """Also fires where a field stops or starts being optional in the wrong direction."""
    yield from wire_findings(comparison, NAME, "MISSING_UNION_BRANCH", message=sentence, help=advice)


def sentence(fact: WireFact) -> Text:
    return Text(
        "`{path}`: {reader} cannot read {records} ({avro})",
        {"path": fact.path or "/", "reader": fact.reader, "records": fact.records, "avro": fact.found.message},
    )


def advice(_fact: WireFact) -> Text:
    return Text("keep every branch; put a new kind of value into a new field with a default")


RULE = Rule(name=NAME, category="wire", severity=Severity.ERROR, check=check)
