"""What rules about waivers look at: one waiver, what it matches today, and who must have agreed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from treaty_codegen.catalog import Catalog, Topic
from treaty_codegen.finding import Finding, Location, Severity, Text, fingerprint
from treaty_codegen.waivers import FILE, Waiver


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverFacts:
    """``matched``: the findings that it speaks of. ``required``: who must be in ``approved_by``.

    ``approvals``: who really approved, as the hosting service says; None: not known, the file is believed. ``judges_unused``: all
    old sides were looked at, so that a waiver which matches nothing is of no use.
    """

    waiver: Waiver
    matched: tuple[Finding, ...]
    required: tuple[str, ...]
    approvals: frozenset[str] | None
    today: date
    root: str
    judges_unused: bool = True

    def finding(self, rule: str, message: Text, *, help: Text) -> Finding:
        """An error at the waiver."""
        line = self.waiver.line or 1
        return Finding(
            rule=rule,
            severity=Severity.ERROR,
            category="policy",
            at=Location(path=f"{self.root}{FILE}", line=line, end_line=line),
            message=message,
            help=help,
            event=self.waiver.event or None,
            fingerprint=fingerprint(
                rule, self.waiver.rule, self.waiver.fingerprint, self.waiver.event, self.waiver.pointer
            ),
        )


def is_about(waiver: Waiver, finding: Finding) -> bool:
    """Whether a waiver speaks of a finding: its rule, and its fingerprint or its event and pointer."""
    if waiver.rule != finding.rule:
        return False
    if waiver.fingerprint:
        return waiver.fingerprint == finding.fingerprint
    return waiver.event in {finding.event, *finding.affects} and waiver.pointer in {"", finding.at.pointer}


def must_agree(findings: Iterable[Finding], catalog: Catalog, *, pii_owner: str) -> tuple[str, ...]:
    """Owners whose word a waiver needs, sorted: of the topics, and of every service and stranger that reads the events.

    For personal data its owner instead of the readers: what they read does not change.
    """
    names: set[str] = set()
    for finding in findings:
        is_private = finding.rule == "pii-tag-removed" and bool(pii_owner)
        names |= {pii_owner} if is_private else set()
        for event in finding.affects or ((finding.event,) if finding.event else ()):
            topic = catalog.topic_of(event)
            if topic is not None:
                names |= {topic.owner} | (set() if is_private else set(readers(topic, event, catalog)))
    return tuple(sorted(filter(None, names)))


def readers(topic: Topic, event: str, catalog: Catalog) -> Iterator[str]:
    """Owners of the services, and names of the strangers, that read an event of a topic."""
    for consumer in topic.consumers:
        if consumer.events and event not in consumer.events:
            continue
        service = catalog.services.get(consumer.service or "")
        yield service.owner if service is not None else consumer.external or ""
