"""namespace-not-lower: a namespace has upper-case letters."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.rule import Rule

NAME = "namespace-not-lower"


def check(facts: LintFacts) -> Iterator[Finding]:
    """Namespaces become packages and subjects."""
    for _, named in facts.types():
        if named.name.namespace != named.name.namespace.lower():
            yield finding(
                NAME,
                "names",
                Severity.ERROR,
                facts.at_namespace(named),
                Text("namespace {namespace} has upper-case letters", {"namespace": named.name.namespace}),
                named.name.full,
                help=Text("write it in lower case"),
            )


RULE = Rule(name=NAME, category="names", severity=Severity.ERROR, check=check)
