"""Events as `treaty generate` writes them, and a registry in memory that can be taken away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar
from uuid import UUID

from treaty_avro import Schema, parse
from treaty_runtime.errors import RegistryUnavailable, SchemaNotRegistered, UnknownSchemaId
from treaty_runtime.event import Envelope, Event, Place

TIME = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCreated:
    """An order was placed: keyed by its id, `number` counts the events of the order."""

    order_id: str
    number: int

    __avro_schema__: ClassVar[str] = (
        '{"type":"record","name":"OrderCreated","namespace":"mall.order","fields":'
        '[{"name":"order_id","type":"string"},{"name":"number","type":"int"}]}'
    )
    __avro_fullname__: ClassVar[str] = "mall.order.OrderCreated"
    __avro_names__: ClassVar[Mapping[str, str]] = {}
    __avro_references__: ClassVar[tuple[str, ...]] = ()
    __topic__: ClassVar[str] = "order-events"
    __subject__: ClassVar[str] = "order-events-mall.order.OrderCreated"
    __event_type__: ClassVar[str] = "order.created"

    @staticmethod
    def __avro_types__() -> Mapping[str, type]:
        """The classes within reach."""
        return {"mall.order.OrderCreated": OrderCreated}

    def __key__(self) -> str:
        """The order's id."""
        return self.order_id


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSeen:
    """An order was looked at: no key is declared."""

    number: int

    __avro_schema__: ClassVar[str] = (
        '{"type":"record","name":"OrderSeen","namespace":"mall.order","fields":[{"name":"number","type":"int"}]}'
    )
    __avro_fullname__: ClassVar[str] = "mall.order.OrderSeen"
    __avro_names__: ClassVar[Mapping[str, str]] = {}
    __avro_references__: ClassVar[tuple[str, ...]] = ()
    __topic__: ClassVar[str] = "order-views"
    __subject__: ClassVar[str] = "order-views-mall.order.OrderSeen"
    __event_type__: ClassVar[str] = "order.seen"

    @staticmethod
    def __avro_types__() -> Mapping[str, type]:
        """The classes within reach."""
        return {"mall.order.OrderSeen": OrderSeen}


CATALOG: Mapping[str, type[Event]] = {event.__avro_fullname__: event for event in (OrderCreated, OrderSeen)}


def envelope_of(number: int, *, offset: int = 10) -> Envelope[OrderCreated]:
    """An event as a handler receives it; the id is the number."""
    place = Place("order-events", 0, offset)
    return Envelope(
        event=OrderCreated(order_id="o-1", number=number),
        id=UUID(int=number),
        type="order.created",
        source="/mall/order",
        time=TIME,
        subject="o-1",
        key=b"o-1",
        correlation_id=UUID(int=number),
        causation_id=None,
        place=place,
        origin=place,
        timestamp=TIME,
        schema_id=1,
        headers={},
    )


@dataclass(frozen=True)
class Version:
    """A registered version."""

    subject: str
    version: int
    text: str

    @property
    def schema(self) -> Schema:
        """The parsed text."""
        return parse(self.text)


class FakeRegistry:
    """Answers like a registry in which the given classes are registered, ids from 1 in their order."""

    def __init__(self, *registered: type[Event]) -> None:
        self.registered = list(registered)
        self.is_away = False
        self.asked: list[type[Event]] = []
        self.versions: dict[str, list[Version]] = {}

    async def id_of(self, event: type[Event]) -> int:
        """The number of the class, counted from 1."""
        self.asked.append(event)
        self._answer()
        if event not in self.registered:
            raise SchemaNotRegistered(event.__avro_fullname__, event.__subject__)
        return self.registered.index(event) + 1

    async def writer(self, schema_id: int) -> Schema:
        """The class's own schema."""
        return parse(self._registered(schema_id).__avro_schema__)

    async def live_versions(self, subject: str) -> Sequence[Version]:
        """What the subject holds; the class's own schema unless `versions` says otherwise."""
        self._answer()
        own = [Version(subject, 1, event.__avro_schema__) for event in self.registered if event.__subject__ == subject]
        return self.versions.get(subject, own)

    is_closed = False

    async def close(self) -> None:
        """Only remembers it."""
        self.is_closed = True

    async def subjects(self, schema_id: int) -> frozenset[str]:
        """The class's own subject."""
        return frozenset({self._registered(schema_id).__subject__})

    async def subjects_anew(self, schema_id: int, *, topic: str) -> frozenset[str]:  # noqa: ARG002  # the protocol's
        """The same."""
        return await self.subjects(schema_id)

    def _registered(self, schema_id: int) -> type[Event]:
        self._answer()
        if not 1 <= schema_id <= len(self.registered):
            raise UnknownSchemaId
        return self.registered[schema_id - 1]

    def _answer(self) -> None:
        if self.is_away:
            raise RegistryUnavailable
