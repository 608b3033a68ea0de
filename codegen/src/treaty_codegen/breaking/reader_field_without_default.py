"""reader-field-without-default: a reader has a field that the writer lacks, and no default to put there."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.breaking.wire import WireFact, wire_findings
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "reader-field-without-default"


def check(comparison: Comparison) -> Iterator[Finding]:
    """A new field without default cannot read old records; a removed one without default blinds old readers."""
    yield from wire_findings(comparison, NAME, "READER_FIELD_MISSING_DEFAULT_VALUE", message=sentence, help=advice)


def sentence(fact: WireFact) -> Text:
    if fact.direction == "backward":
        return Text("field `{path}` is new and has no default: old records cannot be read", {"path": fact.path})
    return Text(
        "field `{path}` was removed and had no default: old readers cannot read new records", {"path": fact.path}
    )


def advice(fact: WireFact) -> Text:
    if fact.direction == "backward":
        return Text('give it a default, for example make it optional: ["null", …] with default null')
    return Text("keep the field; give it a default and deprecate it, then remove it in a later release")


RULE = Rule(name=NAME, category="wire", severity=Severity.ERROR, check=check)
