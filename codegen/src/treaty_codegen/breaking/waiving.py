"""Breaks that were accepted become remarks; waivers that do not hold become errors themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from treaty_codegen.breaking import waiver_expired, waiver_too_long, waiver_unapproved, waiver_unused
from treaty_codegen.breaking.waiver_facts import WaiverFacts, is_about, must_agree
from treaty_codegen.catalog import Catalog
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule
from treaty_codegen.waivers import Waiver

WAIVER_RULES: tuple[Rule[WaiverFacts], ...] = (
    waiver_unapproved.RULE,
    waiver_expired.RULE,
    waiver_too_long.RULE,
    waiver_unused.RULE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """What waivers are judged by: the catalog's owners, the day, the owner of personal data, the approvals that are known."""

    catalog: Catalog
    today: date
    root: str = ""
    pii_owner: str = ""
    approvals: frozenset[str] | None = None
    judges_unused: bool = True

    def apply(self, findings: Iterable[Finding], waivers: Iterable[Waiver]) -> list[Finding]:
        """The findings, those that a sound waiver speaks of as remarks; then what is wrong with the waivers themselves."""
        found, wrong = list(findings), list[Finding]()
        for waiver in waivers:
            matched = tuple(finding for finding in found if is_about(waiver, finding))
            errors = list(self.errors(waiver, matched))
            wrong += errors
            if not errors:
                found = [waived(finding, waiver) if finding in matched else finding for finding in found]
        return found + wrong

    def errors(self, waiver: Waiver, matched: tuple[Finding, ...]) -> Iterator[Finding]:
        """What is wrong with one waiver."""
        facts = WaiverFacts(
            waiver=waiver,
            matched=matched,
            required=must_agree(matched, self.catalog, pii_owner=self.pii_owner),
            approvals=self.approvals,
            today=self.today,
            root=self.root,
            judges_unused=self.judges_unused,
        )
        for rule in WAIVER_RULES:
            yield from rule.check(facts)


def waived(finding: Finding, waiver: Waiver) -> Finding:
    """The finding as a remark that says who accepted it, and why."""
    note = Text(
        "waived until {until} by {names}: {reason}",
        {"until": waiver.until.isoformat(), "names": ", ".join(waiver.approved_by), "reason": waiver.reason},
    )
    return replace(finding, severity=Severity.INFO, help=note, waived=note)
