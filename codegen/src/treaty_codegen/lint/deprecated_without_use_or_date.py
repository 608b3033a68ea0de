"""deprecated-without-use-or-date: something deprecated does not say what to use, or until when it stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from treaty_codegen.finding import Finding, Location, Severity, Text
from treaty_codegen.lint.facts import LintFacts, finding, treaty_props
from treaty_codegen.rule import Rule

NAME = "deprecated-without-use-or-date"

STEP = "/treaty/deprecated"


def check(facts: LintFacts) -> Iterator[Finding]:
    """A deprecation without a way out is noise."""
    for at, owner, name, deprecated in every_deprecation(facts):
        lacking = " and ".join(what_lacks(deprecated))
        if lacking:
            yield finding(
                NAME,
                "governance",
                Severity.ERROR,
                at,
                Text("`{name}` is deprecated without {lacking}", {"name": name, "lacking": lacking}),
                owner,
                name,
                help=Text('write "use": what replaces it, and "remove_after": a date like "2027-06-30"'),
            )


def every_deprecation(facts: LintFacts) -> Iterator[tuple[Location, str, str, Any]]:
    """Place, owner, name and value of what is deprecated: records, fields, and symbols of enums."""
    for _, record in facts.records():
        own = treaty_props(record.props)
        if "deprecated" in own:
            yield facts.at_type(record, STEP), record.name.full, record.name.simple, own["deprecated"]
    for record, field in facts.fields():
        own = treaty_props(field.props)
        if "deprecated" in own:
            yield facts.at_field(record, field, STEP), record.name.full, field.name, own["deprecated"]
    for _, enum in facts.enums():
        symbols = treaty_props(enum.props).get("deprecated")
        for symbol, value in symbols.items() if isinstance(symbols, dict) else ():
            yield facts.at_type(enum, f"{STEP}/{symbol}"), enum.name.full, str(symbol), value


def what_lacks(deprecated: Any) -> Iterator[str]:
    body = deprecated if isinstance(deprecated, dict) else {}
    if not body.get("use"):
        yield "`use`"
    if not is_date(body.get("remove_after")):
        yield "`remove_after`" if "remove_after" not in body else "a date in `remove_after`"


def is_date(value: Any) -> bool:
    try:
        date.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return True


RULE = Rule(name=NAME, category="governance", severity=Severity.ERROR, check=check)
