"""name-changed: a record, enum or fixed has another name and no alias to the old one."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.breaking.wire import WireFact, wire_findings
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "name-changed"


def check(comparison: Comparison) -> Iterator[Finding]:
    """Avro matches named types by simple name or by the reader's alias."""
    yield from wire_findings(comparison, NAME, "NAME_MISMATCH", message=sentence, help=advice)


def sentence(fact: WireFact) -> Text:
    return Text(
        "the type at `{path}` has another name: {reader} cannot read {records} ({avro})",
        {"path": fact.path or "/", "reader": fact.reader, "records": fact.records, "avro": fact.found.message},
    )


def advice(_fact: WireFact) -> Text:
    return Text("give the old name back; an alias helps new readers only, old readers know nothing of it")


RULE = Rule(name=NAME, category="wire", severity=Severity.ERROR, check=check)
