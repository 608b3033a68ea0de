"""A service on mock brokers: what it publishes, and members of its group; real threads, real cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random
from typing import Any

from tests.parts.waiting import eventually
from tests.treaty_runtime.order_events import OrderCreated, OrderSeen
from treaty_runtime.consume.consumer import Consumer
from treaty_runtime.consume.reader import Reader
from treaty_runtime.event import Context, Partition, Record
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.hooks import Committed, Hooks
from treaty_runtime.kafka import KafkaProducer, KafkaSource
from treaty_runtime.kafka.config import consumer_config, producer_config
from treaty_runtime.publish.publisher import Publisher
from treaty_runtime.retry import RetryPolicy
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.testing import MemoryRegistry
from treaty_runtime.transport import Delivery, Outgoing, Records, Revoking
from treaty_runtime.wire.serde import Serde

QUICK = {"consumer.session.timeout.ms": 12_000, "consumer.heartbeat.interval.ms": 300, "consumer.fetch.wait.max.ms": 50}
"""No member is taken for dead because its machine has other things to do."""
TOPIC = OrderCreated.__topic__
Seen = list[Any]
REPEATABLE = Random(0)


def order(number: int, order_id: str = "o-1") -> OrderCreated:
    return OrderCreated(order_id=order_id, number=number)


class Shop:
    """A service on one cluster: a producer, a publisher and members of its group."""

    def __init__(self, bootstrap: str, **extra: Any) -> None:
        self.settings = KafkaSettings(brokers=bootstrap, extra={**QUICK, **extra})
        self.registry = MemoryRegistry()
        self.ids = {
            cls: self.registry.register(cls.__subject__, cls.__avro_schema__) for cls in (OrderCreated, OrderSeen)
        }
        self.serde = Serde(self.registry)
        self.producer = KafkaProducer(producer_config(self.settings, delivery_timeout=timedelta(seconds=20)))
        self.hooks: Seen = []
        self.publisher = Publisher(
            self.producer,
            self.serde,
            service="order",
            registry_url="http://registry.test",
            entropy=REPEATABLE.randbytes,
        )

    def consumer(self, group: Group, **more: Any) -> Consumer:
        config = consumer_config(self.settings, group=group.name)
        return Consumer(
            group,
            connect=lambda: KafkaSource(config, topics=group.subscription),
            reader=Reader(group, self.serde, events={cls.__avro_fullname__: cls for cls in self.ids}),
            producer=self.producer,
            random=REPEATABLE.random,
            hooks=Hooks([self.hooks.append]),
            **more,
        )

    @asynccontextmanager
    async def running(self, group: Group, **more: Any) -> AsyncIterator[Consumer]:
        consumer = self.consumer(group, **more)
        task = asyncio.create_task(consumer.run())
        try:
            yield consumer
        finally:
            await consumer.stop()
            await asyncio.wait_for(task, 90)

    async def send(self, *records: Outgoing) -> list[Delivery]:
        answers: list[Delivery] = []
        for record in records:
            self.producer.produce(record, answers.append)
        await eventually(lambda: len(answers) == len(records))
        return answers

    async def read(self, topic: str, count: int) -> list[Record]:
        """The first ``count`` records of a topic, read by a group of their own."""
        found: list[Record] = []
        source = KafkaSource(consumer_config(self.settings, group=f"read-{topic}"), topics=[topic])

        async def follow() -> None:
            async for event in source.events():
                if isinstance(event, Records):
                    found.extend(event.records)
                elif isinstance(event, Revoking):
                    event.done({})

        task = asyncio.create_task(follow())
        await eventually(lambda: len(found) >= count)
        await source.close()
        await task
        return found

    def told(self, kind: type[Any]) -> list[Any]:
        return [hook for hook in self.hooks if isinstance(hook, kind)]

    def committed(self) -> dict[Partition, int]:
        offsets: dict[Partition, int] = {}
        for hook in self.told(Committed):
            offsets |= hook.offsets
        return offsets


def group_of(handlers: Handlers, **options: Any) -> Group:
    quick = RetryPolicy(delays=("10ms", "100ms"), in_place_up_to=timedelta(milliseconds=50), jitter=0)
    return Group("order", handlers, dead_letter="dlq.order", **{"retry": quick, **options})


def recording(seen: Seen, before: Callable[[OrderCreated], Any] = lambda _: None) -> Handlers:
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def note(event: OrderCreated, context: Context) -> None:
        before(event)
        seen.append(event.number)

    return handlers
