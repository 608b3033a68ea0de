"""What the runtime's promises cost: consuming and publishing as a share of what the raw client does in the same time.

Processor time of the whole process, librdkafka's threads with it; the brokers are librdkafka's own, in another process. Raw and ours take
turns A B B A, and the figure is the median of the rounds' ratios. The raw consumer decodes what it reads, the raw producer makes the same
values and headers, ids and times among them; neither promises anything. Run: ``python -m bench runtime --no-write``.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from confluent_kafka import Consumer as RawConsumer
from confluent_kafka import Producer as RawProducer

from bench.mock_kafka import brokers
from bench.report import Row
from mall_events.order import OrderPaid
from treaty_avro import compile_decoder, compile_encoder
from treaty_runtime.consume.consumer import Consumer
from treaty_runtime.consume.reader import Reader
from treaty_runtime.event import Context, Headers
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.kafka import KafkaProducer, KafkaSource
from treaty_runtime.kafka.config import Config, consumer_config, producer_config
from treaty_runtime.publish.publisher import Publisher
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.testing import MemoryRegistry
from treaty_runtime.wire.event_id import new_event_id
from treaty_runtime.wire.headers import event_headers
from treaty_runtime.wire.serde import Serde, frame

RECORDS, KEYS, ROUNDS, AT_ONCE = 20_000, 500, 9, 1_000
TOPIC = OrderPaid.__topic__
SENT = "bench-sent"
"""Where produced records go; the mock drops the oldest."""
REGISTRY = "http://localhost:8081"


def measure() -> list[Row]:
    """Rows of consuming and publishing."""
    with brokers(TOPIC, SENT) as bootstrap:
        bench = Bench(KafkaSettings(brokers=bootstrap))
        bench.fill()
        consumed = bench.ratio(bench.consume_raw, bench.consume)
        sent = bench.ratio(bench.produce_raw, bench.publish)
        sent_many = bench.ratio(bench.produce_raw, bench.publish_many)
    return [
        row("consume, typed, per-key lanes / raw consume(500) and decode", consumed, least=0.33),
        row(f"`publish`, {AT_ONCE:,} at once / raw produce with headers", sent, least=0.4),
        row("`publish_many` / raw produce with headers", sent_many, least=0.7),
    ]


def row(what: str, ratios: list[float], *, least: float) -> Row:
    """The median, and between which ratios the middle half of the rounds lies."""
    low, median, high = statistics.quantiles(ratios, n=4)
    return Row(what, f"{median:.2f} × ({low:.2f}-{high:.2f})", f"≥ {least} ×", median >= least)


def events(count: int) -> Iterator[OrderPaid]:
    """The mall's event of middle size, of 500 orders in turn."""
    at = datetime(2026, 3, 4, tzinfo=UTC)
    for number in range(count):
        yield OrderPaid(
            order_id=number % KEYS,
            buyer_id=7,
            seller_id=9,
            payment_id=UUID(int=number),
            total=Decimal("12.50"),
            event_time=at + timedelta(seconds=number),
            operator="user:7",
        )


def headers_of(event: OrderPaid) -> Headers:
    """Headers as a publisher makes them."""
    now = datetime.now(UTC)
    event_id = new_event_id(now, entropy=os.urandom(10))
    return event_headers(
        event_id=event_id,
        source="/mall/order",
        type=event.__event_type__,
        time=now,
        subject=event.__key__(),
        dataschema=f"{REGISTRY}/schemas/ids/1",
        correlation_id=event_id,
    )


@dataclass(slots=True)
class Watch:
    """Processor seconds between the first record and the last."""

    begun: float | None = None
    seconds: float = 0.0

    def begin(self) -> None:
        """The first record is here; later ones change nothing."""
        if self.begun is None:
            self.begun = time.process_time()

    def end(self) -> None:
        """The last one is done."""
        self.seconds = time.process_time() - (self.begun or 0.0)


class WatchedSource(KafkaSource):
    """Tells when the first records arrive."""

    def __init__(self, config: Config, *, topics: Iterable[str], watch: Watch) -> None:
        super().__init__(config, topics=topics)
        self._watch = watch

    def _receive(self, messages: list[object]) -> None:
        self._watch.begin()
        super()._receive(messages)


@dataclass(slots=True)
class Bench:
    """The candidates, on one cluster. Each consumer is a new group and reads all records."""

    settings: KafkaSettings
    registry: MemoryRegistry = field(default_factory=lambda: MemoryRegistry(registers_by_itself=True))
    groups: int = 0

    def ratio(self, raw: Callable[[], float], ours: Callable[[], float]) -> list[float]:
        """How much of the raw client's pace ours has, for each round."""
        ratios = []
        for number in range(ROUNDS):
            order = (raw, ours, ours, raw) if number % 2 else (ours, raw, raw, ours)
            seconds = {raw: 0.0, ours: 0.0}
            for candidate in order:
                seconds[candidate] += candidate()
            ratios.append(seconds[raw] / seconds[ours])
        return ratios

    def fill(self) -> None:
        """Puts the records there that consumers read."""
        producer = RawProducer(producer_config(self.settings, delivery_timeout=timedelta(minutes=1)))
        encode = compile_encoder(OrderPaid, prefix=frame(1))
        for event in events(RECORDS):
            producer.produce(TOPIC, value=encode(event), key=event.__key__(), headers=[*headers_of(event)])
            producer.poll(0)
        if producer.flush(60):
            raise RuntimeError("The brokers did not take the records.")

    def group(self) -> str:
        """A name that no group had."""
        self.groups += 1
        return f"bench-{os.getpid()}-{self.groups}"

    def consume_raw(self) -> float:
        """Reads and decodes everything."""
        consumer = RawConsumer(consumer_config(self.settings, group=self.group()))
        consumer.subscribe([TOPIC])
        decode, watch, seen = compile_decoder(OrderPaid), Watch(), 0
        while seen < RECORDS:
            messages = consumer.consume(500, 1.0)
            if messages:
                watch.begin()
            for message in messages:
                if message.error() is None:
                    decode(message.value() or b"", 5)
                    seen += 1
        watch.end()
        consumer.close()
        return watch.seconds

    def consume(self) -> float:
        """Hands everything to a handler, by key, and commits."""
        return asyncio.run(self._consume())

    async def _consume(self) -> float:
        handlers, watch, done, seen = Handlers(), Watch(), asyncio.Event(), 0

        @handlers.on(OrderPaid)
        async def handle(_event: OrderPaid, _context: Context) -> None:
            nonlocal seen
            seen += 1
            if seen == RECORDS:
                watch.end()
                done.set()

        self.registry.register(OrderPaid.__subject__, OrderPaid.__avro_schema__)
        group = Group(self.group(), handlers, dead_letter="bench-dead", has_retry_topics=False)
        config = consumer_config(self.settings, group=group.name)
        producer = KafkaProducer(producer_config(self.settings, delivery_timeout=timedelta(minutes=1)))
        consumer = Consumer(
            group,
            connect=lambda: WatchedSource(config, topics=group.subscription, watch=watch),
            reader=Reader(group, Serde(self.registry)),
            producer=producer,
            random=lambda: 0.5,
        )
        task = asyncio.create_task(consumer.run())
        await done.wait()
        await consumer.stop()
        await task
        await producer.close()
        return watch.seconds

    def produce_raw(self) -> float:
        """Encodes and sends, and counts the acknowledgements."""
        producer = RawProducer(producer_config(self.settings, delivery_timeout=timedelta(minutes=1)))
        encode, acknowledged, watch = compile_encoder(OrderPaid, prefix=frame(1)), 0, Watch()

        def count(error: object, _message: object) -> None:
            nonlocal acknowledged
            acknowledged += error is None

        watch.begin()
        for event in events(RECORDS // 2):
            producer.produce(
                SENT, value=encode(event), key=event.__key__(), headers=[*headers_of(event)], on_delivery=count
            )
            producer.poll(0)
        producer.flush(60)
        watch.end()
        if acknowledged != RECORDS // 2:
            raise RuntimeError("The brokers did not take the records.")
        return watch.seconds

    def publish(self) -> float:
        """Publishes a thousand events at once, again and again, each awaited for itself."""

        async def one_by_one(publisher: Publisher, portion: list[OrderPaid]) -> None:
            await asyncio.gather(*(publisher.publish(event) for event in portion))

        return asyncio.run(self._publish(one_by_one))

    def publish_many(self) -> float:
        """Publishes a thousand events a call."""

        async def together(publisher: Publisher, portion: list[OrderPaid]) -> None:
            await publisher.publish_many(portion)

        return asyncio.run(self._publish(together))

    async def _publish(self, send: Callable[[Publisher, list[OrderPaid]], Awaitable[None]]) -> float:
        producer = KafkaProducer(producer_config(self.settings, delivery_timeout=timedelta(minutes=1)))
        serde, watch = Serde(self.registry), Watch()
        await serde.warm([OrderPaid])
        publisher = Publisher(producer, serde, service="order", registry_url=REGISTRY, entropy=os.urandom)
        watch.begin()
        source = events(RECORDS // 2)
        for _ in range(RECORDS // 2 // AT_ONCE):
            await send(publisher, [next(source) for _ in range(AT_ONCE)])
        watch.end()
        await producer.close()
        return watch.seconds
