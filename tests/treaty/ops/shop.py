"""A service on a real broker whose handler refuses everything until it is mended."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select
from sqlalchemy.ext.asyncio import async_sessionmaker

from tests.treaty_runtime.order_events import FakeRegistry, OrderCreated
from treaty_runtime.admin import Cluster
from treaty_runtime.errors import Reject
from treaty_runtime.event import Context, Event
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.runtime import Runtime
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.sql import database

ORDERS, EVENTS_EACH = 4, 10
DONE = Table(
    "done",
    MetaData(),
    Column("at", Integer, primary_key=True),
    Column("order_id", String(20)),
    Column("number", Integer),
)


class Shop:
    """A service whose handler refuses everything until it is mended."""

    def __init__(self, kafka: str, folder: Path, unique: Callable[[str], str]) -> None:
        self.kafka, self.is_mended = kafka, False
        self.engine = database.open_engine(f"sqlite:///{folder / 'shop.sqlite'}")
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self.event, self.group, self.dead = _event_on(unique("order-events")), unique("order-view"), unique("dlq.order")

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Runtime]:
        retry = [f"retry.{self.group}.{delay}" for delay in ("0s", "10s", "60s")]
        with Cluster(self.kafka) as cluster:
            for topic in (self.event.__topic__, self.dead, *retry):
                cluster.create(topic, partitions=2, replication=1, config={})
            cluster.await_topics([self.event.__topic__, self.dead, *retry])
        await database.create(self.engine)
        async with self.engine.begin() as connection:
            await connection.run_sync(DONE.metadata.create_all)
        handlers = Handlers()

        @handlers.on(self.event)
        async def fulfil(order: Any, context: Context) -> None:
            if not self.is_mended:
                raise Reject("the price is unknown")
            await context.session.execute(insert(DONE).values(order_id=order.order_id, number=order.number))

        runtime = Runtime(
            service="order",
            settings=KafkaSettings(brokers=self.kafka),
            events={self.event.__avro_fullname__: self.event},
            sessions=self.sessions,
            groups=[Group(self.group, handlers, dead_letter=self.dead)],
            registry=FakeRegistry(self.event),
        )
        async with runtime:
            yield runtime
        await self.engine.dispose()

    async def order(self, runtime: Runtime) -> None:
        """Stages all events of all orders in one transaction."""
        async with self.sessions.begin() as session:
            for number in range(EVENTS_EACH):
                for order in range(ORDERS):
                    runtime.outbox.stage(session, self.event(order_id=f"o-{order}", number=number))  # type: ignore[call-arg]  # the Protocol has no constructor

    async def done(self) -> list[tuple[str, int]]:
        async with self.sessions() as session:
            return [(row.order_id, row.number) for row in await session.execute(select(DONE).order_by(DONE.c.at))]


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
