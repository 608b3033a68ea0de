"""enum-symbol-missing: a writer may send a symbol that a reader does not know and has no enum default for."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.breaking.wire import WireFact, wire_findings
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "enum-symbol-missing"


def check(comparison: Comparison) -> Iterator[Finding]:
    """A removed symbol stands in old records; an added one reaches old readers."""
    yield from wire_findings(comparison, NAME, "MISSING_ENUM_SYMBOLS", message=sentence, help=advice)


def sentence(fact: WireFact) -> Text:
    verb = "lost" if fact.direction == "backward" else "gained"
    return Text(
        "enum `{path}` {verb} {symbols}: {reader} cannot read {records} that carry them",
        {
            "path": fact.path or "/",
            "verb": verb,
            "symbols": fact.found.message.strip("[]"),
            "reader": fact.reader,
            "records": fact.records,
        },
    )


def advice(_fact: WireFact) -> Text:
    return Text(
        'an enum needs a default symbol ("default" beside "symbols"); a default of the field does not help here'
    )


RULE = Rule(name=NAME, category="wire", severity=Severity.ERROR, check=check)
