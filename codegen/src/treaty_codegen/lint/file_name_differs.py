"""file-name-differs: a file is not named after the type that it defines."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.contract import snake_case
from treaty_codegen.finding import Finding, Fix, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "file-name-differs"


def check(facts: LintFacts) -> Iterator[Finding]:
    """Who knows the name finds the file."""
    for file, named in facts.types():
        stem = file.path.rpartition("/")[2].removesuffix(".avsc")
        expected = snake_case(named.name.simple)
        if named is file.schema.root and stem != expected:
            yield finding(
                NAME,
                "names",
                Severity.ERROR,
                facts.at_type(named, "/name"),
                Text("{name} belongs into {expected}.avsc", {"name": named.name.simple, "expected": expected}),
                named.name.full,
                help=Text("rename the file, or the type"),
                fix=renamed(facts, file.path, expected),
            )


def renamed(facts: LintFacts, path: str, expected: str) -> Fix | None:
    """The file's other name, unless a file has it already."""
    folder, slash, _ = path.rpartition("/")
    target = f"{folder}{slash}{expected}.avsc"
    if target in facts.catalog.files:
        return None
    return Fix(path=facts.places.root + path, rename_to=facts.places.root + target)


RULE = Rule(name=NAME, category="names", severity=Severity.ERROR, check=check)
