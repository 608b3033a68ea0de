"""example-invalid: an example is no value of its event."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.finding import Finding, Location, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule
from treaty_codegen.written_examples import Fault, faults, schema_path

NAME = "example-invalid"


def check(facts: LintFacts) -> Iterator[Finding]:
    """People copy from examples, so each of them must be encodable."""
    for path, text in facts.catalog.examples.items():
        file = facts.catalog.files.get(schema_path(path))
        if file is None:
            fault = Fault(reason=f"there is no {schema_path(path)} beside it")
            yield told(facts, path, fault, "")
            continue
        for fault in faults(file, text):
            yield told(facts, path, fault, file.full_name)


def told(facts: LintFacts, path: str, fault: Fault, event: str) -> Finding:
    """One fault at its place in the file of examples."""
    at = Location(
        path=facts.places.root + path,
        line=fault.line,
        column=fault.column,
        end_line=fault.end_line,
        end_column=fault.end_column,
        pointer=fault.pointer,
    )
    return finding(
        NAME,
        "docs",
        Severity.ERROR,
        at,
        Text("this is no example: {reason}", {"reason": fault.reason}),
        event or path,
        fault.pointer,
        help=Text("write times as ISO 8601, decimals as text, and a branch of a union without its name"),
    )


RULE = Rule(name=NAME, category="docs", severity=Severity.ERROR, check=check)
