"""event-removed: an event is gone from its topic and no tombstone says why."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_avro import Record
from treaty_codegen.catalog import Catalog
from treaty_codegen.finding import Finding, Location, Severity, Text, fingerprint
from treaty_codegen.old_set import OldEvent, OldSet
from treaty_codegen.places import Places

NAME = "event-removed"


def check(catalog: Catalog, old: OldSet, *, places: Places) -> Iterator[Finding]:
    """Looks at whole sets: nothing is deleted without a ``[[removed]]`` table in ``topics.toml``. A rename is no removal."""
    buried = {(removal.topic, removal.event) for removal in catalog.removals if removal.type is None}
    renamed = new_names(catalog)
    for event, before in old.events.items():
        topic = catalog.topics.get(before.topic)
        if topic is not None and (event in topic.events or renamed.get(event) in topic.events):
            continue
        if (before.topic, event) not in buried and (before.topic, None) not in buried:
            yield gone(catalog, event, before, old, places=places)


def new_names(catalog: Catalog) -> dict[str, str]:
    """Full names that records had, by their aliases, to those that they have."""
    return {
        alias.full: name
        for name, file in catalog.by_name.items()
        if isinstance(file.schema.root, Record)
        for alias in file.schema.root.aliases
    }


def gone(catalog: Catalog, event: str, before: OldEvent, old: OldSet, *, places: Places) -> Finding:
    now = catalog.topic_of(event)
    at = now or catalog.topics.get(before.topic)
    line = at.lines.get("events", at.line) if at is not None else 1
    what = "{event} moved from {topic} to {now}" if now is not None else "{event} is no longer on {topic}"
    return Finding(
        rule=NAME,
        severity=Severity.ERROR,
        category="policy",
        at=Location(path=f"{places.root}topics.toml", line=line, end_line=line),
        message=Text(what, {"event": event, "topic": before.topic, "now": now.name if now is not None else ""}),
        help=Text("put it back, or bury it: [[removed]] with event, topic, reason and approved_by"),
        event=event,
        against=old.label,
        affects=(event,),
        fingerprint=fingerprint(NAME, event, before.topic),
    )
