"""What breaking rules look at: one event as it is now beside one older version of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from treaty_avro import Incompatibility, Schema, incompatibilities, parse
from treaty_codegen.catalog import Catalog, Topic
from treaty_codegen.contract import key_of, subject_of
from treaty_codegen.diff import Change, Place, diff
from treaty_codegen.finding import Finding, Location, Proof, Severity, Text, fingerprint
from treaty_codegen.places import Places
from treaty_codegen.publish import publish

Direction = Literal["backward", "forward"]
"""backward: the new schema reads old records; forward: the old schema reads new ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OldEvent:
    """One event of an old set: its published text, and what ``topics.toml`` said of it then."""

    text: str
    topic: str = ""
    key: str = ""
    level: str = "FULL_TRANSITIVE"
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OldSet:
    """All events at one point of the past; ``label`` names it in findings (``release 1.4.0``, ``git main``)."""

    label: str
    events: Mapping[str, OldEvent]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One event against one old text of it. ``old_level`` and ``old_key`` are what held then."""

    event: str
    topic: Topic
    subject: str
    against: str
    old: Schema
    new: Schema
    old_event: OldEvent
    key: str
    changes: tuple[Change, ...]
    places: Places

    @property
    def directions(self) -> tuple[Direction, ...]:
        """The directions in which the topic's level promises that readers go on."""
        level = self.topic.compatibility
        backward: tuple[Direction, ...] = ("backward",) if level.startswith(("BACKWARD", "FULL")) else ()
        forward: tuple[Direction, ...] = ("forward",) if level.startswith(("FORWARD", "FULL")) else ()
        return backward + forward

    def incompatibilities(self, direction: Direction) -> list[Incompatibility]:
        """Avro Java's verdict for one direction."""
        reader, writer = (self.new, self.old) if direction == "backward" else (self.old, self.new)
        return incompatibilities(reader, writer)

    def topic_location(self, *, path: str = "topics.toml") -> Location:
        """Where the topic is declared."""
        return Location(path=f"{self.places.root}{path}", line=self.topic.line or 1)

    def finding(
        self,
        rule: str,
        *,
        category: str,
        severity: Severity,
        at: Location | Place,
        message: Text,
        names: tuple[str, ...],
        help: Text | None = None,
        proof: Proof | None = None,
    ) -> Finding:
        """A finding about this event; ``names`` (path, before, after) make its fingerprint together with the event."""
        return Finding(
            rule=rule,
            severity=severity,
            category=category,
            at=self.places.of(at) if isinstance(at, Place) else at,
            message=message,
            help=help,
            event=self.event,
            subject=self.subject,
            against=self.against,
            affects=(self.event,),
            proof=proof,
            fingerprint=fingerprint(rule, at.owner if isinstance(at, Place) else self.event, *names),
        )


def old_set(catalog: Catalog, *, label: str) -> OldSet:
    """A catalog of the past as an old set."""
    events = {}
    for topic in catalog.topics.values():
        for name in topic.events:
            file = catalog.by_name.get(name)
            if file is not None:
                events[name] = OldEvent(
                    text=publish(file), topic=topic.name, key=key_of(topic, event=name) or "", level=topic.compatibility
                )
    return OldSet(label=label, events=events)


def comparisons(catalog: Catalog, old: OldSet, *, places: Places) -> Iterator[Comparison]:
    """Each event that both sides know, by topic; events that are new are linted, not compared."""
    for topic in catalog.topics.values():
        for name in topic.events:
            before, file = old.events.get(name), catalog.by_name.get(name)
            if before is None or file is None:
                continue
            old_schema = parse(before.text, rules="stored", path=f"{old.label} {name}")
            yield Comparison(
                event=name,
                topic=topic,
                subject=subject_of(topic, event=name),
                against=old.label,
                old=old_schema,
                new=file.schema,
                old_event=before,
                key=key_of(topic, event=name) or "",
                changes=tuple(diff(old_schema.root, file.schema.root)),
                places=places,
            )
