"""The consumer on real parts: librdkafka against mock brokers, real threads, real cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from tests.parts.waiting import eventually
from tests.treaty_runtime.order_events import OrderCreated, OrderSeen
from treaty_runtime.consume.consumer import Consumer
from treaty_runtime.consume.reader import Reader
from treaty_runtime.errors import Outage
from treaty_runtime.event import Context, Envelope, Partition, Record
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.hooks import Committed, DeadLettered, Failed, Handled, Hooks, OutageBegan, Recovered, Skipped
from treaty_runtime.kafka import KafkaProducer, KafkaSource
from treaty_runtime.kafka.config import consumer_config, producer_config
from treaty_runtime.publish.publisher import Publisher
from treaty_runtime.retry import RetryPolicy
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.testing import MemoryRegistry
from treaty_runtime.testing.chaos import Chaos
from treaty_runtime.transport import Delivery, Outgoing, Position, Records, Revoking
from treaty_runtime.wire import headers as names
from treaty_runtime.wire.serde import Serde, frame

QUICK = {"consumer.session.timeout.ms": 6000, "consumer.heartbeat.interval.ms": 300, "consumer.fetch.wait.max.ms": 50}
TOPIC = OrderCreated.__topic__
Seen = list[Any]
REPEATABLE = Random(0)


def order(number: int, order_id: str = "o-1") -> OrderCreated:
    return OrderCreated(order_id=order_id, number=number)


class Shop:
    """A service on one cluster: a producer, a publisher and members of its group."""

    def __init__(self, bootstrap: str) -> None:
        self.settings = KafkaSettings(brokers=bootstrap, extra=QUICK)
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
            await asyncio.wait_for(task, 30)

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


@pytest.fixture
def chaos() -> Iterator[Chaos]:
    with Chaos() as cluster:
        for topic in (TOPIC, OrderSeen.__topic__, "bytes", "dlq.order", "retry.order.0s", "retry.order.100ms"):
            cluster.topic(topic, partitions=1 if topic.startswith("dlq") else 2)
        yield cluster


@pytest.fixture
async def shop(chaos: Chaos) -> AsyncIterator[Shop]:
    made = Shop(chaos.bootstrap)
    yield made
    await made.producer.close()


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


async def test_published_events_reach_their_handler_in_key_order(shop: Shop) -> None:
    seen: list[tuple[str, int]] = []
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def note(event: OrderCreated, context: Context) -> None:
        await asyncio.sleep(0)
        seen.append((event.order_id, event.number))

    events = [order(number, f"o-{number % 7}") for number in range(700)]
    async with shop.running(group_of(handlers)):
        places = await shop.publisher.publish_many(events)
        await eventually(lambda: len(seen) == 700)
        await eventually(lambda: sum(shop.committed().values()) == 700)
    assert len(places) == 700
    for key in range(7):
        assert [number for order_id, number in seen if order_id == f"o-{key}"] == list(range(key, 700, 7))


async def test_one_record_of_a_key_at_a_time_and_no_more_than_the_workers(shop: Shop) -> None:
    running: dict[str, int] = {}
    most: list[int] = []
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def note(event: OrderCreated, context: Context) -> None:
        running[event.order_id] = running.get(event.order_id, 0) + 1
        assert running[event.order_id] == 1
        most.append(sum(running.values()))
        await asyncio.sleep(0.001)
        running[event.order_id] -= 1

    async with shop.running(group_of(handlers, workers=4)):
        await shop.publisher.publish_many(order(number, f"o-{number % 20}") for number in range(200))
        await eventually(lambda: len(most) == 200)
    assert max(most) == 4
    assert not shop.told(Failed)


async def test_a_slow_key_does_not_hold_up_the_others_but_holds_the_commit(shop: Shop) -> None:
    gate, seen = asyncio.Event(), []
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def note(event: OrderCreated, context: Context) -> None:
        if event.number == 0:
            await gate.wait()
        seen.append(event.number)

    async with shop.running(group_of(handlers)):
        first = await shop.publisher.publish(order(0, "slow"))
        for number in range(1, 50):
            await shop.publisher.publish(order(number, f"o-{number}"))
        await eventually(lambda: len(seen) == 49)
        partition = Partition(TOPIC, first.partition)
        await eventually(lambda: shop.committed().get(Partition(TOPIC, 1 - first.partition)))
        assert shop.committed().get(partition, 0) <= first.offset
        gate.set()
        await eventually(lambda: shop.committed().get(partition, 0) > first.offset)


async def test_junk_is_dead_lettered_byte_for_byte_and_its_neighbours_are_handled(shop: Shop) -> None:
    seen: Seen = []
    junk = [b"invalid", b"", b"\x01\x00\x00\x00\x01x", frame(4711) + b"x", frame(shop.ids[OrderCreated]) + b"\xff"]
    async with shop.running(group_of(recording(seen))):
        await shop.publisher.publish(order(1))
        await shop.send(*(Outgoing(topic=TOPIC, key=b"o-1", value=value) for value in junk))
        await shop.publisher.publish(order(2))
        await eventually(lambda: seen == [1, 2])
        letters = await shop.read("dlq.order", len(junk))
    assert sorted(letter.value or b"" for letter in letters) == sorted(junk)
    for letter in letters:
        told = names.first_values(letter.headers)
        assert told[names.REASON].startswith(b"undecodable")
        assert told["kafka_dlt-original-topic"] == TOPIC.encode()
        assert letter.key == b"o-1"


async def test_a_writer_schema_of_another_topic_is_not_allowed(shop: Shop) -> None:
    seen: Seen = []
    async with shop.running(group_of(recording(seen))):
        await shop.send(Outgoing(topic=TOPIC, key=b"k", value=frame(shop.ids[OrderSeen]) + b"\x02"))
        (letter,) = await shop.read("dlq.order", 1)
    reason = names.first_values(letter.headers)[names.REASON]
    assert reason == f"not-allowed Writer schema {shop.ids[OrderSeen]} is not allowed on {TOPIC}.".encode()


async def test_an_oversized_record_becomes_a_pointer(shop: Shop) -> None:
    shop.serde.max_record_bytes = 1000
    seen: Seen = []
    async with shop.running(group_of(recording(seen))):
        (sent,) = await shop.send(Outgoing(topic=TOPIC, key=b"k", value=b"\x00" * 2000))
        (letter,) = await shop.read("dlq.order", 1)
    told = names.first_values(letter.headers)
    assert letter.value == b""
    assert told[names.REASON].startswith(b"oversize 2000 bytes")
    assert sent.place is not None
    assert names.origin_of(letter.place, told) == sent.place


async def test_a_failing_record_takes_the_retry_topic_and_ends_in_the_dead_letters(shop: Shop) -> None:
    attempts: list[int] = []
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def fail(event: OrderCreated, context: Context) -> None:
        attempts.append(context.attempt)
        raise ValueError("never")

    async with shop.running(group_of(handlers)):
        sent = await shop.publisher.publish(order(1))
        (letter,) = await shop.read("dlq.order", 1)
        await eventually(lambda: shop.committed().get(Partition(TOPIC, sent.partition)) == sent.offset + 1)
    told = names.first_values(letter.headers)
    assert attempts == [1, 2, 3]
    assert told[names.ID] == str(sent.event_id).encode()
    assert told["kafka_dlt-exception-fqcn"] == b"builtins.ValueError"
    assert told[names.HANDLER].endswith(b"fail")
    assert names.attempt_of(told) == 3
    assert [hook.reason for hook in shop.told(DeadLettered)] == ["failed"]


async def test_tombstones_and_unhandled_classes_are_skipped_and_committed(shop: Shop) -> None:
    seen: Seen = []
    handlers = recording(seen)
    group = group_of(handlers, topics=(TOPIC, OrderSeen.__topic__))
    async with shop.running(group):
        await shop.send(Outgoing(topic=TOPIC, key=b"k", value=None))
        await shop.publisher.publish(OrderSeen(number=1))
        await shop.publisher.publish(order(1))
        await eventually(lambda: seen == [1])
        await eventually(lambda: {hook.reason for hook in shop.told(Skipped)} == {"tombstone", "no-handler"})
        await eventually(lambda: sum(shop.committed().values()) == 3)


async def test_any_gets_envelopes_of_classes_without_a_handler_and_raw_gets_bytes(shop: Shop) -> None:
    handlers = Handlers()
    envelopes: list[Envelope[Any]] = []
    records: list[Record] = []

    @handlers.any(OrderSeen.__topic__)
    async def audit(envelope: Envelope[Any], context: Context) -> None:
        envelopes.append(envelope)

    @handlers.raw("bytes")
    async def keep(record: Record, context: Context) -> None:
        records.append(record)

    async with shop.running(group_of(handlers)):
        sent = await shop.publisher.publish(OrderSeen(number=5))
        await shop.send(
            Outgoing(topic="bytes", key=b"k", value=b"anything"), Outgoing(topic="bytes", key=b"k", value=None)
        )
        await eventually(lambda: envelopes and len(records) == 2)
    (envelope,) = envelopes
    assert envelope.event == OrderSeen(number=5)
    assert (envelope.id, envelope.type, envelope.schema_id) == (sent.event_id, "order.seen", sent.schema_id)
    assert (envelope.correlation_id, envelope.causation_id, envelope.source) == (sent.event_id, None, "/mall/order")
    assert [record.value for record in records] == [b"anything", None]


async def test_a_handler_that_takes_too_long_is_cancelled_and_counts_as_failed(shop: Shop) -> None:
    handlers, attempts = Handlers(), []

    @handlers.on(OrderCreated, timeout=timedelta(milliseconds=50))
    async def sleep(event: OrderCreated, context: Context) -> None:
        attempts.append(context.attempt)
        if context.attempt == 1:
            await asyncio.Event().wait()

    async with shop.running(group_of(handlers)):
        await shop.publisher.publish(order(1))
        await eventually(lambda: attempts == [1, 2])
        await eventually(lambda: shop.told(Handled))
    assert [type(hook.error).__name__ for hook in shop.told(Failed)] == ["HandlerTimeout"]


async def test_stopping_waits_for_running_handlers_and_commits_only_what_is_done(shop: Shop) -> None:
    gate, begun, seen = asyncio.Event(), asyncio.Event(), []
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def note(event: OrderCreated, context: Context) -> None:
        begun.set()
        await gate.wait()
        seen.append(event.number)

    consumer = shop.consumer(group_of(handlers))
    task = asyncio.create_task(consumer.run())
    for number in range(3):
        await shop.publisher.publish(order(number))
    await begun.wait()
    stopping = asyncio.create_task(consumer.stop())
    await eventually(lambda: any(each.is_leaving for each in consumer.dispatch.assignments.values()))
    gate.set()
    await stopping
    await task
    assert seen == [0], "what had not begun does not begin"
    async with shop.running(group_of(handlers)):
        await eventually(lambda: seen == [0, 1, 2])


async def test_a_handler_that_does_not_end_is_cancelled_when_its_time_is_over(shop: Shop) -> None:
    begun, ended = asyncio.Event(), []
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def hang(event: OrderCreated, context: Context) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(event.number)

    async with shop.running(group_of(handlers, drain=timedelta(milliseconds=100))):
        await shop.publisher.publish(order(1))
        await begun.wait()
    assert ended == [1]
    assert sum(shop.committed().values()) == 0


async def test_an_outage_pauses_and_ends_with_the_probe(shop: Shop) -> None:
    handlers, seen = Handlers(), []
    away = True

    @handlers.on(OrderCreated)
    async def note(event: OrderCreated, context: Context) -> None:
        if away:
            raise ConnectionError("refused")
        seen.append((event.number, context.attempt))

    async with shop.running(group_of(handlers, outages=(ConnectionError,))):
        await shop.publisher.publish_many(order(number, f"o-{number}") for number in range(50))
        await eventually(lambda: shop.told(OutageBegan))
        away = False
        await eventually(lambda: len(seen) == 50)
    assert {attempt for _, attempt in seen} == {1}
    assert len(shop.told(Recovered)) == 1
    assert not shop.told(DeadLettered)


async def test_a_commit_that_fails_is_made_up_for_by_the_next(chaos: Chaos, shop: Shop) -> None:
    seen: Seen = []
    async with shop.running(group_of(recording(seen))):
        await shop.publisher.publish(order(1))
        await eventually(lambda: seen == [1])
        await eventually(lambda: sum(shop.committed().values()) == 1)
        chaos.fail("OffsetCommit", 22)  # ILLEGAL_GENERATION
        await shop.publisher.publish(order(2))
        await eventually(lambda: sum(shop.committed().values()) == 2)
    assert seen[:2] == [1, 2]


async def test_a_closed_source_refuses_a_commit(shop: Shop) -> None:
    source = KafkaSource(consumer_config(shop.settings, group="g"), topics=[TOPIC])

    async def follow() -> None:
        async for event in source.events():
            getattr(event, "done", lambda _: None)({})

    task = asyncio.create_task(follow())
    await eventually(lambda: source.poll_age_seconds < 1)
    await source.close()
    await task
    with pytest.raises(Outage, match="destroyed"):
        await source.commit({Partition(TOPIC, 0): Position(1)})
