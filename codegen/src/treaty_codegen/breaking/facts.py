"""What breaking rules look at: one event as it is now beside one older version of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as defaulting
from datetime import date
from typing import Literal, ParamSpec

from treaty_avro import Enum, Incompatibility, Record, Schema, incompatibilities, parse
from treaty_codegen.catalog import Catalog, SchemaFile, Topic
from treaty_codegen.contract import key_of, subject_of
from treaty_codegen.diff import Change, Place, diff
from treaty_codegen.finding import Finding, Location, Proof, Reader, Severity, Text, fingerprint
from treaty_codegen.old_set import OldEvent, OldSet
from treaty_codegen.places import Places
from treaty_codegen.publish import publish
from treaty_codegen.reach import leaves, named_within
from treaty_codegen.readers.model import Readers

P = ParamSpec("P")
Direction = Literal["backward", "forward"]
"""backward: the new schema reads old records; forward: the old schema reads new ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One event against one old text of it.

    ``history`` is every old text that is known, whatever the level; ``is_newest`` tells the newest of them, to which alone
    source, documentation and policy are compared: what an earlier release changed was decided then. ``today`` None: no clock.
    ``proves``: findings come with values that show the damage.
    """

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
    history: tuple[Schema, ...] = ()
    is_newest: bool = True
    today: date | None = None
    readers: Readers | None = None
    proves: bool = True
    _verdicts: dict[Direction, list[Incompatibility]] = defaulting(default_factory=dict, repr=False, compare=False)

    def prove(self, how: Callable[P, Proof | None], /, *arguments: P.args, **options: P.kwargs) -> Proof | None:
        """What ``how`` (of ``proof``) finds; None where no proof is asked for."""
        return how(*arguments, **options) if self.proves else None

    @property
    def directions(self) -> tuple[Direction, ...]:
        """The directions in which the topic's level promises that readers go on."""
        level = self.topic.compatibility
        backward: tuple[Direction, ...] = ("backward",) if level.startswith(("BACKWARD", "FULL")) else ()
        forward: tuple[Direction, ...] = ("forward",) if level.startswith(("FORWARD", "FULL")) else ()
        return backward + forward

    def incompatibilities(self, direction: Direction) -> list[Incompatibility]:
        """Avro Java's verdict for one direction; every wire rule asks for it, and it is worked out once."""
        if self.old is self.new:
            return []
        if direction not in self._verdicts:
            reader, writer = (self.new, self.old) if direction == "backward" else (self.old, self.new)
            self._verdicts[direction] = incompatibilities(reader, writer)
        return self._verdicts[direction]

    def topic_location(self, member: str, *, line: int = 0) -> Location:
        """Where a member of the topic is declared, or the topic itself where it is not; ``line``, if known, wins."""
        line = line or self.topic.lines.get(member, 0) or self.topic.line or 1
        return Location(path=f"{self.places.root}topics.toml", line=line, end_line=line)

    def finding(
        self,
        rule: str,
        *,
        category: str,
        severity: Severity,
        at: Location | Place,
        message: Text,
        names: tuple[str, ...],
        step: str = "",
        help: Text | None = None,
        proof: Proof | None = None,
        field: str = "",
        readers: tuple[Reader, ...] | None = None,
    ) -> Finding:
        """A finding about this event, at a place or one ``step`` below it (``/doc``).

        ``names`` (path, before, after) make its fingerprint together with the named type or topic where it stands. ``field``: the
        field of the type at ``at`` that readers may read, where the finding is about one; ``readers`` instead of those.
        """
        return Finding(
            rule=rule,
            severity=severity,
            category=category,
            at=self.places.of(at, step=step) if isinstance(at, Place) else at,
            message=message,
            help=help,
            event=self.event,
            subject=self.subject,
            against=self.against,
            affects=(self.event,),
            proof=proof,
            readers=self.readers_at(at, field or field_of(names[0])) if readers is None else readers,
            fingerprint=fingerprint(rule, *self.names_at(at, names)),
        )

    def readers_at(self, at: Location | Place, field: str) -> tuple[Reader, ...]:
        """Who reads the field of the type at a place; nobody where the place is a topic's."""
        return self.read_by(at.owner, field) if isinstance(at, Place) else ()

    def read_by(self, owner: str, field: str) -> tuple[Reader, ...]:
        """Who reads a field of a type, as far as the code of services was looked at."""
        return self.readers.of(owner=owner, field=field, event=self.event) if self.readers is not None and field else ()

    def matched_by(self, enum: str) -> tuple[Reader, ...]:
        """Who matches every symbol of an enum, in any field that holds it, and has no way for another one."""
        if self.readers is None:
            return ()
        records = named_within(self.new.root).values()
        fields = {
            (record.name.full, field.name)
            for record in records
            if isinstance(record, Record)
            for field in record.fields
            if any(isinstance(each, Enum) and each.name.full == enum for each in leaves(field.type))
        }
        return self.readers.exhaustive(fields, event=self.event)

    def names_at(self, at: Location | Place, names: tuple[str, ...]) -> Iterator[str]:
        """What a fingerprint hashes: the owner, and names within it, so that a type is the same as an event and inside another."""
        if isinstance(at, Location):
            yield from (self.topic.name, *names)
            return
        simple = at.owner.rpartition(".")[2]
        yield at.owner
        yield from ("" if name == simple else name.removeprefix(f"{simple}.") for name in names)


def field_of(path: str) -> str:
    """The field that a change's path ends with: `total` of `OrderLine.total`, `lines` of `lines[]`."""
    return path.rpartition(".")[2].rstrip("[]{}")


def comparisons(
    catalog: Catalog,
    old_sets: Sequence[OldSet],
    *,
    places: Places,
    today: date | None = None,
    readers: Readers | None = None,
    proves: bool = True,
) -> Iterator[Comparison]:
    """Each event beside its older versions, by topic; events that are new are linted, not compared.

    ``old_sets`` are newest first. A transitive level compares with every distinct old version, others with the newest.
    """
    by_name = catalog.by_name
    for topic in catalog.topics.values():
        for name in topic.events:
            file = by_name.get(name)
            if file is None or not isinstance(file.schema.root, Record):
                continue
            versions = distinct(old_sets, file.schema.root)
            history = tuple(schemas(versions, file))
            compared = history if topic.compatibility.endswith("_TRANSITIVE") else history[:1]
            for number, (old, (before, label)) in enumerate(zip(compared, versions.items(), strict=False)):
                yield Comparison(
                    event=name,
                    topic=topic,
                    subject=subject_of(topic, event=name),
                    against=label,
                    old=old,
                    new=file.schema,
                    old_event=before,
                    key=key_of(topic, event=name) or "",
                    changes=() if old is file.schema else tuple(diff(old.root, file.schema.root)),
                    places=places,
                    history=history,
                    is_newest=number == 0,
                    today=today,
                    readers=readers,
                    proves=proves,
                )


def schemas(versions: Mapping[OldEvent, str], file: SchemaFile) -> Iterator[Schema]:
    """The schema of each older version of an event."""
    # Most events of a change are as they were: what is the same text is the same schema, and need not be read.
    now = publish(file) if versions else ""
    for before, label in versions.items():
        same = before.text == now
        yield file.schema if same else parse(before.text, rules="stored", path=f"{label} {file.full_name}")


def distinct(old_sets: Sequence[OldSet], event: Record) -> Mapping[OldEvent, str]:
    """The older versions of an event, by its name or else its aliases, each with the newest set that holds it; newest first."""
    names = (event.name.full, *(alias.full for alias in event.aliases))
    found: dict[OldEvent, str] = {}
    seen = set()
    for old in old_sets:
        before = next((old.events[name] for name in names if name in old.events), None)
        if before is not None and (said := (before.text, before.topic, before.key, before.level)) not in seen:
            seen.add(said)
            found[replace(before, version="", contract="")] = old.label
    return found
