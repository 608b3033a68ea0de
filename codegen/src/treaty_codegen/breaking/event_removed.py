"""event-removed: an event is gone and no tombstone says why."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_codegen.breaking.facts import OldSet
from treaty_codegen.catalog import Catalog
from treaty_codegen.finding import Finding, Location, Severity, Text, fingerprint
from treaty_codegen.places import Places

NAME = "event-removed"


def check(catalog: Catalog, old: OldSet, *, places: Places) -> Iterator[Finding]:
    """Looks at whole sets: nothing is deleted without a ``[[removed]]`` table in ``topics.toml``."""
    buried = {removal.event for removal in catalog.removals} | {
        event
        for removal in catalog.removals
        if removal.event is None
        for event, before in old.events.items()
        if before.topic == removal.topic
    }
    for event, before in old.events.items():
        topic = catalog.topics.get(before.topic)
        if event in buried or (topic is not None and event in topic.events):
            continue
        yield Finding(
            rule=NAME,
            severity=Severity.ERROR,
            category="policy",
            at=Location(path=f"{places.root}topics.toml", line=topic.line if topic else 1),
            message=Text("{event} is no longer on {topic}", {"event": event, "topic": before.topic}),
            help=Text("put it back, or bury it: [[removed]] with event, topic, reason and approved_by"),
            event=event,
            against=old.label,
            affects=(event,),
            fingerprint=fingerprint(NAME, event, before.topic),
        )
