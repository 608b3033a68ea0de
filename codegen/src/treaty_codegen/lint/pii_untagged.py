"""pii-untagged: a field looks like personal data and says nothing of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding, treaty_props
from treaty_codegen.rule import Rule

NAME = "pii-untagged"

WORDS = re.compile(r"(?:^|_)(email|phone|address|ip|birth|birthday|passport)(?:_|$)")


def check(facts: LintFacts) -> Iterator[Finding]:
    """Untagged personal data is logged, kept and copied like anything else."""
    for record, field in facts.fields():
        is_text = any(leaf.kind == "string" for leaf in facts.leaves(field))
        looks = WORDS.findall(field.name) if is_text else []
        if looks and not treaty_props(field.props).get("pii"):
            yield finding(
                NAME,
                "governance",
                Severity.ERROR,
                facts.at_field(record, field),
                Text(
                    "`{field}` looks like personal data ({category}) without a tag",
                    {"field": field.name, "category": looks[0]},
                ),
                record.name.full,
                field.name,
                help=Text('add "treaty": {{"pii": "{category}"}} to the field', {"category": looks[0]}),
            )


RULE = Rule(name=NAME, category="governance", severity=Severity.ERROR, check=check)
