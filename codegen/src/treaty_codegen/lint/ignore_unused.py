"""ignore-unused: a place is excepted from a rule that finds nothing there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from treaty_codegen.finding import Finding, Location, Severity, Text, fingerprint
from treaty_codegen.waivers import FILE, Ignore

NAME = "ignore-unused"


def check(ignores: Iterable[Ignore], found: Iterable[Finding], *, root: str) -> Iterator[Finding]:
    """What is excepted for no reason stays excepted when there is one."""
    rows = tuple(found)
    for ignore in ignores:
        if not any(is_about(ignore, finding) for finding in rows):
            yield Finding(
                rule=NAME,
                severity=Severity.ERROR,
                category="governance",
                at=Location(path=f"{root}{FILE}", line=ignore.line or 1, end_line=ignore.line or 1),
                message=Text("{rule} finds nothing at {at}", {"rule": ignore.rule, "at": ignore.at}),
                help=Text("remove it, or name the full name of a type or of a field that is there"),
                fingerprint=fingerprint(NAME, ignore.rule, ignore.at),
            )


def is_about(ignore: Ignore, finding: Finding) -> bool:
    """Whether an exception covers a finding: one at the type of this name, or at the field or symbol of the type before its last dot."""
    if ignore.rule != finding.rule:
        return False
    owner, _, member = ignore.at.rpartition(".")
    return ignore.at == finding.event or finding.fingerprint == fingerprint(finding.rule, owner, member)
