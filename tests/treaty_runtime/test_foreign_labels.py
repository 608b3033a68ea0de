"""Whatever foreign producers write into headers, what observers count by stays bounded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families

from tests.treaty_runtime.order_events import FakeRegistry, OrderCreated
from tests.treaty_runtime.relaying import until
from treaty_avro import compile_encoder
from treaty_runtime.event import Context
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.hooks import DeadLettered
from treaty_runtime.metrics import Metrics
from treaty_runtime.runtime import Runtime
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.testing import Harness
from treaty_runtime.transport import Outgoing
from treaty_runtime.transport.memory import MemoryBroker, MemoryProducer
from treaty_runtime.wire import headers as names
from treaty_runtime.wire.serde import frame
from treaty_runtime.wiring.connections import MemoryConnections

MANY = 50


async def test_names_in_foreign_headers_make_no_series() -> None:
    handlers, seen, metrics = Handlers(), list[int](), Metrics("order", now=lambda: datetime.now(UTC))

    @handlers.on(OrderCreated)
    async def note(event: OrderCreated, _context: Context) -> None:
        seen.append(event.number)
        if event.number % 2:
            raise LookupError

    broker = MemoryBroker()
    group = Group("order-view", handlers, dead_letter="dlq.order", has_retry_topics=False)
    runtime = Runtime(
        service="order",
        settings=KafkaSettings(),
        events={OrderCreated.__avro_fullname__: OrderCreated},
        groups=[group],
        connections=MemoryConnections(broker),
        registry=FakeRegistry(OrderCreated),
        observers=[metrics],
    )
    metrics.declare(groups=[group], events=[OrderCreated])
    before = series(metrics)
    async with runtime:
        producer, encode = MemoryProducer(broker), compile_encoder(OrderCreated)
        for number in range(MANY):
            told = (
                (names.TYPE, b"foreign-%d" % number),
                (names.RETRY_PREFIX + names.ORIGINAL_TOPIC, b"topic-%d" % number),
                (names.RETRY_PREFIX + names.ORIGINAL_PARTITION, names.int32(0)),
                (names.RETRY_PREFIX + names.ORIGINAL_OFFSET, names.int64(number)),
            )
            value = frame(1) + encode(OrderCreated(order_id=f"o-{number}", number=number))
            record = Outgoing(topic=OrderCreated.__topic__, key=b"%d" % number, value=value, headers=told)
            producer.produce(record, lambda _delivery: None)
        await producer.flush(timedelta(seconds=5))
        await until(lambda: len(set(seen)) == MANY)
    assert series(metrics) == before


async def test_a_dead_letter_counts_under_the_topic_of_its_event() -> None:
    handlers, told = Handlers(), list[object]()

    @handlers.on(OrderCreated)
    async def note(_event: OrderCreated, _context: Context) -> None:
        raise LookupError

    async with Harness(handlers, observers=(told.append,)) as harness:
        await harness.publish(OrderCreated(order_id="o-1", number=1))
        await harness.advance(hours=1)
    assert [hook.topic for hook in told if isinstance(hook, DeadLettered)] == [OrderCreated.__topic__]


def series(metrics: Metrics) -> set[tuple[str, str]]:
    families = text_string_to_metric_families(metrics.text().decode())
    return {(sample.name, str(sorted(sample.labels.items()))) for family in families for sample in family.samples}
