"""enum-default-changed: symbols that a reader does not know are taken for another one than before."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_avro import Enum
from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.proof import prove_later_symbol
from treaty_codegen.rule import Rule

NAME = "enum-default-changed"


def check(comparison: Comparison) -> Iterator[Finding]:
    """An enum's first default harms nobody: before it, unknown symbols could not be read at all."""
    for change in comparison.changes:
        if change.kind != "enum-default-changed" or not change.before:
            continue
        template = (
            "the default symbol of `{path}` changed from {before} to {after}: unknown symbols are read otherwise"
            if change.after
            else "`{path}` lost its default symbol {before}: unknown symbols can no longer be read"
        )
        proof = None
        if isinstance(change.old, Enum) and isinstance(change.new, Enum):
            proof = comparison.prove(prove_later_symbol, change.old, change.new, reader="the new schema")
        yield comparison.finding(
            NAME,
            category="meaning",
            severity=Severity.ERROR,
            at=change.place,
            step="/default",
            message=Text(template, {"path": change.path, "before": change.before, "after": change.after}),
            help=Text("keep {before} as the default symbol", {"before": change.before}),
            names=(change.path, change.before, change.after),
            proof=proof,
        )


RULE = Rule(name=NAME, category="meaning", severity=Severity.ERROR, check=check)
