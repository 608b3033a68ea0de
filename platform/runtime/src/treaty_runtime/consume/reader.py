"""From records to what their handler takes: which handler, which decoder, or why none.

The answer for a (topic, schema id) pair is found once, with the registry's help, and kept as a route; after that a record costs one
dictionary look-up and its decoding.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from treaty_avro import Decoder, Named, Schema, schema_of
from treaty_runtime.consume.facts import Arrival
from treaty_runtime.errors import WriterNotAllowed
from treaty_runtime.event import Envelope, Event, Record
from treaty_runtime.handlers import Group, Handler
from treaty_runtime.wire import headers as names
from treaty_runtime.wire.envelope import seal
from treaty_runtime.wire.serde import Serde, schema_id_of

NO_HANDLER, TOMBSTONE = "no-handler", "tombstone"


@dataclass(frozen=True, slots=True)
class Route:
    """How records of one writer schema on one topic are handled; ``handler`` None: not at all."""

    handler: Handler | None
    decode: Decoder[Any] | None
    schema_id: int


class Reader:
    """Opens the records of one group. ``events`` is the SDK's catalog, full name to class, for ``any`` handlers."""

    def __init__(self, group: Group, serde: Serde, *, events: Mapping[str, type[Any]] | None = None) -> None:
        self._group, self._serde = group, serde
        self._events: Mapping[str, type[Any]] = events if events is not None else {}
        self._retry_topics, self._sources = frozenset(group.retry_topics), frozenset(group.sources)
        self._has_lane_per_partition = group.order == "partition"
        self._max_bytes = serde.max_record_bytes
        self._raw = {topic: Route(handler, None, 0) for topic, handler in group.handlers.raws.items()}
        self._routes: dict[tuple[str, bytes], Route] = {}
        self._classes: dict[str, type[Event]] | None = None

    def arrival(self, record: Record) -> Arrival:
        """The facts that need no registry: lane, size, tombstone, attempt and due time of a retried record."""
        topic, key, value = record.place.topic, record.key, record.value
        if topic in self._retry_topics:
            return self._retried(record)
        if key is None or value is None or self._has_lane_per_partition:
            return self._sized(record, topic)
        size = len(value)
        arrival = Arrival((topic, key), size + len(key), record)
        if size > self._max_bytes:
            arrival.poison = "oversize"
        return arrival

    def topic_of(self, record: Record) -> str:
        """Where the event was published, as far as the group reads that topic: a foreign producer may write any name into a header."""
        topic = self._source_topic(record)
        return topic if topic in self._sources else record.place.topic

    def known(self, record: Record) -> Route | None:
        """The route, if it is known without asking anybody. Raises ``NotFramed``."""
        topic = record.place.topic
        if topic in self._retry_topics:
            topic = self._source_topic(record)
        if topic in self._raw:
            return self._raw[topic]
        # A framed value begins with its schema id, so five equal bytes lead to the same route.
        return self._routes.get((topic, (record.value or b"")[:5]))

    async def find(self, record: Record) -> Route:
        """The route, with the registry's help; raises what makes the record poison, or ``RegistryUnavailable``."""
        topic, value = self._source_topic(record), record.value or b""
        route = await self._route(topic, schema_id_of(value))
        self._routes[topic, value[:5]] = route
        return route

    def open(self, record: Record, route: Route, *, attempt: int) -> Envelope[Any]:
        """Decodes the record; raises ``DecodeError``."""
        event = record if route.decode is None else route.decode(record.value or b"", 5)
        return seal(record, event, schema_id=route.schema_id, attempt=attempt)

    def lane(self, record: Record) -> Hashable | None:
        """What orders the record, from its place, key and headers alone."""
        return self._lane(self._source_topic(record), record)

    def _retried(self, record: Record) -> Arrival:
        headers = names.first_values(record.headers)
        arrival = self._sized(record, names.origin_of(record.place, headers).topic)
        arrival.attempt = names.attempt_of(headers)
        arrival.due = names.read_milliseconds(headers.get(names.BACKOFF_TIMESTAMP))
        return arrival

    def _sized(self, record: Record, topic: str) -> Arrival:
        size = len(record.value or b"")
        arrival = Arrival(self._lane(topic, record), size + len(record.key or b""), record)
        if record.value is None:
            if topic not in self._raw:
                self._bury(arrival)
        elif size > self._max_bytes:
            arrival.poison = "oversize"
        return arrival

    def _lane(self, topic: str, record: Record) -> Hashable | None:
        if self._has_lane_per_partition:
            return (record.place.topic, record.place.partition)
        return (topic, record.key) if record.key is not None else None

    def _bury(self, arrival: Arrival) -> None:
        if self._group.tombstones == "dead_letter":
            arrival.poison = "undecodable"
        else:
            arrival.skip = TOMBSTONE

    def _source_topic(self, record: Record) -> str:
        place = record.place
        if place.topic not in self._retry_topics:
            return place.topic
        return names.origin_of(place, names.first_values(record.headers)).topic

    async def _route(self, topic: str, schema_id: int) -> Route:
        writer = await self._serde.schemas.writer(schema_id)
        name = writer.root.name.full if isinstance(writer.root, Named) else ""
        await self._check_allowed(topic, schema_id, name)
        event, handler = self._handler(topic, name)
        if handler is None or event is None:
            return Route(None, None, schema_id)
        return Route(handler, await self._serde.decoder(event, schema_id), schema_id)

    async def _check_allowed(self, topic: str, schema_id: int, name: str) -> None:
        schemas = self._serde.schemas
        allowed = {f"{topic}-{name}", f"{topic}-value"}
        allowed |= {event.__subject__ for event in self._group.handlers.events if event.__topic__ == topic}
        if _has_any(await schemas.subjects(schema_id), allowed):
            return
        # A topic that only a header names may be any text: each would be a question of its own.
        if topic in self._sources and _has_any(await schemas.subjects_anew(schema_id, topic=topic), allowed):
            return
        raise WriterNotAllowed(f"Writer schema {schema_id} is not allowed on {topic}.")

    def _handler(self, topic: str, name: str) -> tuple[type[Event] | None, Handler | None]:
        event = self._handled_classes().get(name)
        if event is not None:
            return event, self._group.handlers.events[event]
        known: type[Event] | None = self._events[name] if name in self._events else None  # noqa: SIM401  # a lazy mapping has no get
        return known, self._group.handlers.any_for(topic)

    def _handled_classes(self) -> dict[str, type[Event]]:
        """Classes with a handler, by full name and by the aliases they read."""
        if self._classes is None:
            self._classes = {}
            for event in self._group.handlers.events:
                for alias in _aliases(schema_of(event)):
                    self._classes.setdefault(alias, event)
            self._classes |= {event.__avro_fullname__: event for event in self._group.handlers.events}
        return self._classes


def _has_any(subjects: Iterable[str], allowed: Collection[str]) -> bool:
    # A subject in a context is `:.context:subject`; the context does not change which topic it is for.
    return any(subject in allowed or subject.rpartition(":")[2] in allowed for subject in subjects)


def _aliases(schema: Schema) -> tuple[str, ...]:
    return tuple(str(alias) for alias in schema.root.aliases) if isinstance(schema.root, Named) else ()
