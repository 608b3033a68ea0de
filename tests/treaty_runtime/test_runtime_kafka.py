"""The runtime on a real broker: a staged event is handled once, what cannot be read is dead-lettered, the end is clean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from tests.treaty_runtime.order_events import FakeRegistry, OrderCreated
from tests.treaty_runtime.relaying import until
from treaty_runtime.admin import Cluster
from treaty_runtime.event import Context, Event, Record
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.runtime import Runtime
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.transport import Delivery, Outgoing
from treaty_runtime.wiring.connections import PUBLISHING, KafkaConnections

pytestmark = pytest.mark.kafka
ORDERS, EVENTS_EACH = 10, 30
HANDLED = Table(
    "handled",
    MetaData(),
    Column("at", Integer, primary_key=True),
    Column("order_id", String(20)),
    Column("number", Integer),
)


async def test_events_travel_through_a_real_broker_once_and_in_order(
    kafka: str, unique: Callable[[str], str], database: AsyncEngine
) -> None:
    event, group, dead = _event_on(unique("order-events")), unique("order-view"), unique("dlq.order")
    await _create(kafka, event.__topic__, dead, *(f"retry.{group}.{delay}" for delay in ("0s", "10s", "60s")))
    async with database.begin() as connection:
        await connection.run_sync(HANDLED.metadata.create_all)
    sessions = async_sessionmaker(database, expire_on_commit=False)
    handlers, letters = Handlers(), Handlers()
    buried: list[Record] = []

    @handlers.on(event)
    async def handle(order: Any, context: Context) -> None:
        await context.session.execute(insert(HANDLED).values(order_id=order.order_id, number=order.number))

    @letters.raw(dead)
    async def bury(record: Record, context: Context) -> None:
        buried.append(record)

    runtime = Runtime(
        service="order",
        settings=KafkaSettings(brokers=kafka),
        events={event.__avro_fullname__: event},
        sessions=sessions,
        groups=[
            Group(group, handlers, dead_letter=dead),
            Group(unique("undertaker"), letters, dead_letter=dead, has_retry_topics=False),
        ],
        registry=FakeRegistry(event),
    )
    async with runtime:
        await _produce_plain_text(kafka, event.__topic__)
        for number in range(EVENTS_EACH):
            async with sessions.begin() as session:
                for order in range(ORDERS):
                    runtime.outbox.stage(session, event(order_id=f"o-{order}", number=number))  # type: ignore[call-arg]  # the Protocol has no constructor

        async def all_are_handled() -> bool:
            return len(await _handled(sessions)) >= ORDERS * EVENTS_EACH

        await until(all_are_handled)
        await until(lambda: buried)
        assert (await runtime.readiness()).status == 200
        assert runtime.is_alive()
    handled = await _handled(sessions)
    assert len(handled) == ORDERS * EVENTS_EACH
    for order in range(ORDERS):
        assert [number for order_id, number in handled if order_id == f"o-{order}"] == list(range(EVENTS_EACH))
    assert buried[0].value == b"invalid"
    assert dict(buried[0].headers)["treaty-reason"].startswith(b"undecodable")


def _event_on(topic: str) -> type[Event]:
    """OrderCreated on a topic of the test's own: the broker is shared."""

    class Own(OrderCreated):
        __slots__ = ()
        __topic__: ClassVar[str] = topic
        __subject__: ClassVar[str] = f"{topic}-mall.order.OrderCreated"

        @staticmethod
        def __avro_types__() -> Mapping[str, type]:
            return {"mall.order.OrderCreated": Own}

    return Own


async def _create(bootstrap: str, *topics: str) -> None:
    with Cluster(bootstrap) as cluster:
        for topic in topics:
            cluster.create(topic, partitions=3, replication=1, config={})
        cluster.await_topics(topics)


async def _produce_plain_text(bootstrap: str, topic: str) -> None:
    producer = KafkaConnections(KafkaSettings(brokers=bootstrap)).producer(delivery_timeout=PUBLISHING)
    answers: list[Delivery] = []
    producer.produce(Outgoing(topic=topic, key=b"o-1", value=b"invalid"), answers.append)
    await until(lambda: answers)
    await producer.close()


async def _handled(sessions: async_sessionmaker[AsyncSession]) -> list[tuple[str, int]]:
    async with sessions() as session:
        return [(row.order_id, row.number) for row in await session.execute(select(HANDLED).order_by(HANDLED.c.at))]
