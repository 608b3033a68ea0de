"""From records to what their handler takes: which handler, which decoder, or why none.

The answer for a (topic, schema id) pair is found once, with the registry's help, and kept as a route; after that a record costs one
dictionary look-up and its decoding.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
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
        self._retry_topics = frozenset(group.retry_topics)
        self._routes: dict[tuple[str, int], Route] = {}
        self._classes: dict[str, type[Event]] | None = None

    def arrival(self, record: Record) -> Arrival:
        """The facts that need no registry: lane, size, tombstone, attempt and due time of a retried record."""
        topic, attempt, due = record.place.topic, 1, None
        if topic in self._retry_topics:
            headers = names.first_values(record.headers)
            topic = names.origin_of(record.place, headers).topic
            attempt = names.attempt_of(headers)
            due = names.read_milliseconds(headers.get(names.BACKOFF_TIMESTAMP))
        value = record.value
        size = len(value or b"") + len(record.key or b"")
        arrival = Arrival(lane=self._lane(topic, record), size=size, attempt=attempt, due=due, record=record)
        if value is None:
            if self._group.handlers.raw_for(topic) is None:
                self._bury(arrival)
        elif len(value) > self._serde.max_record_bytes:
            arrival.poison = "oversize"
        return arrival

    def known(self, record: Record) -> tuple[Route | None, Mapping[str, bytes]]:
        """The route, if it is known without asking anybody, and the headers' first values. Raises ``NotFramed``."""
        headers = names.first_values(record.headers)
        topic = record.place.topic
        if topic in self._retry_topics:
            topic = self._source_topic(record, headers)
        raw = self._group.handlers.raw_for(topic)
        if raw is not None:
            return Route(raw, None, 0), headers
        return self._routes.get((topic, schema_id_of(record.value or b""))), headers

    async def find(self, record: Record, headers: Mapping[str, bytes]) -> Route:
        """The route, with the registry's help; raises what makes the record poison, or ``RegistryUnavailable``."""
        topic = self._source_topic(record, headers)
        schema_id = schema_id_of(record.value or b"")
        route = await self._route(topic, schema_id)
        self._routes[topic, schema_id] = route
        return route

    def open(self, record: Record, route: Route, headers: Mapping[str, bytes], *, attempt: int) -> Envelope[Any]:
        """Decodes the record; raises ``DecodeError``."""
        event = record if route.decode is None else route.decode(record.value or b"", 5)
        return seal(record, event, headers, schema_id=route.schema_id, attempt=attempt)

    def _lane(self, topic: str, record: Record) -> Hashable | None:
        if self._group.order == "partition":
            return (record.place.topic, record.place.partition)
        return (topic, record.key) if record.key is not None else None

    def _bury(self, arrival: Arrival) -> None:
        if self._group.tombstones == "dead_letter":
            arrival.poison = "undecodable"
        else:
            arrival.skip = TOMBSTONE

    def _source_topic(self, record: Record, headers: Mapping[str, bytes]) -> str:
        place = record.place
        return names.origin_of(place, headers).topic if place.topic in self._retry_topics else place.topic

    async def _route(self, topic: str, schema_id: int) -> Route:
        writer = await self._serde.schemas.writer(schema_id)
        name = writer.root.name.full if isinstance(writer.root, Named) else ""
        await self._check_allowed(topic, schema_id, name)
        event, handler = self._handler(topic, name)
        if handler is None or event is None:
            return Route(None, None, schema_id)
        return Route(handler, await self._serde.decoder(event, schema_id), schema_id)

    async def _check_allowed(self, topic: str, schema_id: int, name: str) -> None:
        subjects = await self._serde.schemas.subjects(schema_id)
        allowed = {f"{topic}-{name}", f"{topic}-value"}
        allowed |= {event.__subject__ for event in self._group.handlers.events if event.__topic__ == topic}
        # A subject in a context is `:.context:subject`; the context does not change which topic it is for.
        if not any(subject in allowed or subject.rpartition(":")[2] in allowed for subject in subjects):
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


def _aliases(schema: Schema) -> tuple[str, ...]:
    return tuple(str(alias) for alias in schema.root.aliases) if isinstance(schema.root, Named) else ()
