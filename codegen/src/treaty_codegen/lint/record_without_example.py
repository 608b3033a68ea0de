"""record-without-example: nobody has written down what an event looks like."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_avro import Record
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule
from treaty_codegen.written_examples import examples_path

NAME = "record-without-example"


def check(facts: LintFacts) -> Iterator[Finding]:
    """Only events are asked for: what is shared is seen in them."""
    for file in facts.catalog.files.values():
        root = file.schema.root
        is_event = isinstance(root, Record) and facts.catalog.topic_of(file.full_name) is not None
        if isinstance(root, Record) and is_event and examples_path(file.path) not in facts.catalog.examples:
            yield finding(
                NAME,
                "docs",
                Severity.ERROR,
                facts.at_type(root, "/name"),
                Text("{name} has no example", {"name": root.name.simple}),
                root.name.full,
                help=Text("write one into {path}: [{{…}}]", {"path": facts.places.root + examples_path(file.path)}),
            )


RULE = Rule(name=NAME, category="docs", severity=Severity.ERROR, check=check, is_strict=True)
