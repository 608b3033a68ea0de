"""Which writers a topic may have: the registry's subjects decide, before anything is decoded."""

from __future__ import annotations

from typing import ClassVar

import pytest

from tests.treaty_runtime.order_events import OrderCreated, OrderSeen
from treaty_runtime.consume.reader import Reader
from treaty_runtime.errors import WriterNotAllowed
from treaty_runtime.event import Context, Place, Record
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.testing import MemoryRegistry
from treaty_runtime.wire import headers as names
from treaty_runtime.wire.serde import Serde, frame


def reader_of(registry: MemoryRegistry) -> Reader:
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def note(event: OrderCreated, context: Context) -> None:
        """Nothing."""

    return Reader(Group("order", handlers, dead_letter="dlq.order"), Serde(registry))


def record(schema_id: int, topic: str = OrderCreated.__topic__) -> Record:
    return Record(place=Place(topic, 0, 0), key=b"o-1", value=frame(schema_id) + b"\x06o-1\x06")


@pytest.mark.parametrize("event", [OrderCreated, OrderSeen])
async def test_a_writer_that_only_other_topics_have_is_refused_whether_its_class_is_handled_or_not(
    event: type[OrderCreated | OrderSeen],
) -> None:
    registry = MemoryRegistry()
    schema_id = registry.register(f"elsewhere-{event.__avro_fullname__}", event.__avro_schema__)
    with pytest.raises(WriterNotAllowed, match=rf"Writer schema {schema_id} is not allowed on order-events\."):
        await reader_of(registry).find(record(schema_id))


async def test_a_writer_that_came_to_the_topic_a_moment_ago_is_not_refused_for_what_was_known_before() -> None:
    class Lagging(MemoryRegistry):
        async def subjects(self, schema_id: int) -> frozenset[str]:
            return await super().subjects(schema_id) - {OrderCreated.__subject__}

        async def subjects_anew(self, schema_id: int, *, topic: str) -> frozenset[str]:  # noqa: ARG002  # the protocol's
            return await super().subjects(schema_id)

    registry = Lagging()
    schema_id = registry.register("elsewhere-value", OrderCreated.__avro_schema__)
    assert registry.register(OrderCreated.__subject__, OrderCreated.__avro_schema__) == schema_id
    assert (await reader_of(registry).find(record(schema_id))).handler is not None


async def test_topics_that_only_headers_name_are_not_asked_for_one_by_one() -> None:
    class Counting(MemoryRegistry):
        asked: ClassVar[list[str]] = []

        async def subjects_anew(self, schema_id: int, *, topic: str) -> frozenset[str]:
            self.asked.append(topic)
            return await super().subjects_anew(schema_id, topic=topic)

    registry = Counting()
    reader = reader_of(registry)
    schema_id = registry.register("elsewhere-value", OrderCreated.__avro_schema__)
    for number in range(100):
        origin = {"original-topic": b"t%d" % number, "original-partition": bytes(4), "original-offset": bytes(8)}
        told = tuple((names.RETRY_PREFIX + name, value) for name, value in origin.items())
        tried_again = Record(Place("retry.order.10s", 0, number), b"o-1", frame(schema_id) + b"\x06o-1\x06", told)
        with pytest.raises(WriterNotAllowed, match=f"not allowed on t{number}"):
            await reader.find(tried_again)
    assert registry.asked == []
    with pytest.raises(WriterNotAllowed):
        await reader.find(record(schema_id))
    assert registry.asked == [OrderCreated.__topic__]


@pytest.mark.parametrize(
    "subject", [OrderCreated.__subject__, "order-events-value", f":.staging:{OrderCreated.__subject__}"]
)
async def test_a_writer_of_the_topics_own_subjects_is_read_in_any_context(subject: str) -> None:
    registry = MemoryRegistry()
    registry.register("elsewhere", OrderCreated.__avro_schema__)
    schema_id = registry.register(subject, OrderCreated.__avro_schema__)
    route = await reader_of(registry).find(record(schema_id))
    assert route.decode is not None
