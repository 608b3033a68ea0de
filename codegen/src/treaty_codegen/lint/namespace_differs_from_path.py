"""namespace-differs-from-path: a schema lies in another folder than its namespace says."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "namespace-differs-from-path"


def check(facts: LintFacts) -> Iterator[Finding]:
    """Who knows the name finds the file."""
    for file, named in facts.types():
        folder = file.path.rpartition("/")[0].replace("/", ".")
        expected = ".".join(part for part in (facts.namespace, folder) if part)
        if named is file.schema.root and named.name.namespace != expected:
            yield finding(
                NAME,
                "names",
                Severity.ERROR,
                facts.at_namespace(named),
                Text(
                    "namespace is {namespace}, its folder says {expected}",
                    {"namespace": named.name.namespace or "none", "expected": expected},
                ),
                named.name.full,
                help=Text("move the file, or change the namespace"),
            )


RULE = Rule(name=NAME, category="names", severity=Severity.ERROR, check=check)
