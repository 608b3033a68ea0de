"""deprecated-without-use-or-date: a deprecated field does not say what to use, or until when it stays."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding, treaty_props
from treaty_codegen.rule import Rule

NAME = "deprecated-without-use-or-date"


def check(facts: LintFacts) -> Iterator[Finding]:
    """A deprecation without a way out is noise."""
    for record, field in facts.fields():
        deprecated = treaty_props(field.props).get("deprecated")
        if isinstance(deprecated, dict) and not (deprecated.get("use") and deprecated.get("remove_after")):
            yield finding(
                NAME,
                "governance",
                Severity.ERROR,
                facts.at_field(record, field),
                Text("`{field}` is deprecated without `use` or `remove_after`", {"field": field.name}),
                record.name.full,
                field.name,
                help=Text('add "use": "total_v2" and "remove_after": "2027-06-30"'),
            )


RULE = Rule(name=NAME, category="governance", severity=Severity.ERROR, check=check)
