"""pii-category-unknown: a tag, or a topic, names a kind of personal data that nobody declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding
from treaty_codegen.nearest import did_you_mean
from treaty_codegen.rule import Rule
from treaty_codegen.tags import personal_data

NAME = "pii-category-unknown"

CATEGORIES: Final = ("email", "phone", "name", "address", "ip", "content", "id")
"""What every project knows; `[governance] pii` adds to it."""


def check(facts: LintFacts) -> Iterator[Finding]:
    """Masking goes by category: what has a slip in its name is not masked."""
    known = (*CATEGORIES, *facts.personal)
    for record, field in facts.fields():
        category = personal_data(field)
        if category and category not in known:
            yield finding(
                NAME,
                "governance",
                Severity.ERROR,
                facts.at_field(record, field, "/treaty/pii"),
                Text("`{field}`: there is no category {category}{hint}", words(field.name, category, known)),
                record.name.full,
                field.name,
                help=Text("add it to [governance] pii of treaty.toml, or use one that is there"),
            )
    for topic in facts.catalog.topics.values():
        for category in topic.pii:
            if category not in known:
                yield finding(
                    NAME,
                    "governance",
                    Severity.ERROR,
                    facts.at_topic(topic.lines.get("pii", topic.line)),
                    Text("topic {field}: there is no category {category}{hint}", words(topic.name, category, known)),
                    topic.name,
                    category,
                    help=Text("add it to [governance] pii of treaty.toml, or use one that is there"),
                )


def words(name: str, category: str, known: tuple[str, ...]) -> dict[str, str]:
    return {"field": name, "category": category, "hint": did_you_mean(category, known=known)}


RULE = Rule(name=NAME, category="governance", severity=Severity.ERROR, check=check)
