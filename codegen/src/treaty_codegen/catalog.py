"""The catalog: every schema under ``schemas/`` together with what ``topics.toml`` says of topics, services and removals.

A value, not a loader: ``treaty_codegen.load`` makes it from file texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Final, TypeVar

from treaty_avro import Schema, inlined_text

V = TypeVar("V")
ANYBODY: Final = "*"
"""Stands among a topic's producers where every service may write."""


@dataclass(frozen=True, kw_only=True)
class SchemaFile:
    """One ``.avsc``: ``path`` is relative to the schemas folder, with forward slashes (``order/order_created.avsc``)."""

    path: str
    text: str
    schema: Schema

    @property
    def full_name(self) -> str:
        """Full name of the one named type that the file defines at its top."""
        name = getattr(self.schema.root, "name", None)
        return name.full if name is not None else ""

    @cached_property
    def inlined(self) -> str:
        """The canonical text with every shared type at its first use; several parts of a command ask for it."""
        return inlined_text(self.schema)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """A reader of a topic, by consumer group. ``events`` (full names) empty: all. External readers name their owner instead of
    a service.
    """

    group: str
    service: str | None = None
    events: tuple[str, ...] = ()
    external: str | None = None
    reads: tuple[str, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSettings:
    """What ``[topic."t".event.X]`` overrides for one event."""

    key: str | None = None
    environments: tuple[str, ...] = ()
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A declared topic with all defaults applied. Values that differ by environment keep their table; see ``for_env``.

    Events go by their full names everywhere, in ``event_settings`` too. ``lines``: where a member is declared, in the topic or
    in ``[defaults]``.
    """

    name: str
    doc: str
    owner: str
    events: tuple[str, ...]
    event_type: str = "topic"
    key: str | None = None
    subject: str = "topic-record"
    compatibility: str = "FULL_TRANSITIVE"
    partitions: Mapping[str, int] = field(default_factory=dict)
    replication: Mapping[str, int] = field(default_factory=dict)
    retention: Mapping[str, timedelta] = field(default_factory=dict)
    cleanup: str = "delete"
    config: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    producers: tuple[str, ...] = ()
    consumers: tuple[Consumer, ...] = ()
    event_settings: Mapping[str, EventSettings] = field(default_factory=dict)
    pii: tuple[str, ...] = ()
    line: int = 0
    lines: Mapping[str, int] = field(default_factory=dict)

    def settings_of(self, event: str) -> EventSettings:
        """What is overridden for an event (full name); nothing for most."""
        return self.event_settings.get(event, EventSettings())


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service of this repository: where its code lies, where its failures go."""

    name: str
    owner: str
    code: str
    dead_letter: str
    retry: tuple[str, ...] = ("1s", "10s", "60s")
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """A tombstone: the only way anything is ever deleted. Of a topic's ``event`` (None: of the whole topic), or else of a shared
    ``type`` with a subject of its own, which belongs to no topic (``topic`` "").
    """

    topic: str
    reason: str
    approved_by: str
    event: str | None = None
    type: str | None = None
    soft_after: date | None = None
    permanent_after: date | None = None
    line: int = 0

    @property
    def is_of_topic(self) -> bool:
        """Whether the whole topic goes."""
        return self.event is None and self.type is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Everything that git says about events. ``files`` is keyed by path; ``by_name`` by full name.

    ``examples``: texts of the ``<event>.examples.json`` files by path; ``written_examples`` reads them.
    """

    files: Mapping[str, SchemaFile]
    topics: Mapping[str, Topic] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    removals: tuple[Removal, ...] = ()
    examples: Mapping[str, str] = field(default_factory=dict)

    _by_name: Mapping[str, SchemaFile] = field(init=False, repr=False, compare=False)
    _topic_of: Mapping[str, Topic] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Look everything up once: rules ask for each event of each topic."""
        by_name = {file.full_name: file for file in self.files.values()}
        topic_of: dict[str, Topic] = {}
        for topic in self.topics.values():
            for event in topic.events:
                topic_of.setdefault(event, topic)
        object.__setattr__(self, "_by_name", by_name)
        object.__setattr__(self, "_topic_of", topic_of)

    @property
    def by_name(self) -> Mapping[str, SchemaFile]:
        """Full name to file."""
        return self._by_name

    @property
    def service_names(self) -> list[str]:
        """All that write or read, sorted: declared with their code, or only named as a producer."""
        producers = {each for topic in self.topics.values() for each in topic.producers if each != ANYBODY}
        return sorted(producers | {*self.services})

    def topic_of(self, full_name: str) -> Topic | None:
        """The topic that lists this event, or None for shared types."""
        return self._topic_of.get(full_name)


def for_env(values: Mapping[str, V], env: str) -> V:
    """The value for one environment: its own entry, else ``"*"``."""
    return values[env] if env in values else values["*"]
