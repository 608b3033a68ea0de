"""Metrics equal what happened: failures, poison, duplicates and rollbacks, counted by the topic, the tables and the handler."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from uuid import UUID, uuid4

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from tests.treaty_runtime.order_events import CATALOG, OrderCreated, OrderSeen
from tests.treaty_runtime.relaying import until
from treaty_runtime.errors import Reject
from treaty_runtime.event import Context, Record
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.metrics import Metrics
from treaty_runtime.retry import RetryPolicy
from treaty_runtime.runtime import Runtime
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.sql.tables import InboxRow, OutboxRow
from treaty_runtime.testing import MemoryRegistry
from treaty_runtime.transport import Outgoing
from treaty_runtime.transport.memory import MemoryBroker
from treaty_runtime.wire.headers import DEAD_LETTER_PREFIX, EXCEPTION_FQCN, ID, first_values
from treaty_runtime.wiring.connections import MemoryConnections

EVENTS, TRANSACTION = 150, 5
TOPIC, DEAD = OrderCreated.__topic__, "dlq.order"


async def test_after_a_run_every_counter_equals_what_topics_tables_and_handlers_hold(database: AsyncEngine) -> None:
    chance, sessions = Random(11), async_sessionmaker(database, expire_on_commit=False)
    broker, attempts, failed = MemoryBroker(partitions=3), Counter[UUID](), Counter[str]()
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def note(event: OrderCreated, context: Context) -> None:
        attempts[context.envelope.id] += 1
        await context.session.execute(text("INSERT INTO effect VALUES (:id)"), {"id": context.envelope.id.hex})
        if event.number % 37 == 0:
            failed["Reject"] += 1
            raise Reject("never")
        if chance.random() < 0.2:
            failed["ValueError"] += 1
            raise ValueError("once more")

    async with database.begin() as connection:
        await connection.execute(text("CREATE TABLE effect (id varchar(32))"))
    group = Group(
        "readers", handlers, dead_letter=DEAD, retry=RetryPolicy(delays=("1ms",) * 30), has_retry_topics=False
    )
    metrics = Metrics("order")
    metrics.declare(groups=[group], events=[OrderCreated, OrderSeen])
    runtime = Runtime(
        service="order", settings=KafkaSettings(), events=CATALOG, sessions=sessions, groups=[group],
        observers=[metrics], connections=MemoryConnections(broker), registry=MemoryRegistry(registers_by_itself=True),
    )  # fmt: skip
    rolled_back = 0
    async with runtime:
        for first in range(0, EVENTS, TRANSACTION):
            async with sessions() as session:
                for number in range(first, first + TRANSACTION):
                    runtime.outbox.stage(session, OrderCreated(order_id=f"o-{number % 20}", number=number))
                if chance.random() < 0.1:
                    await session.rollback()
                    rolled_back += TRANSACTION
                else:
                    await session.commit()
        await runtime.publisher.publish_many([OrderSeen(number=number) for number in range(7)])
        committed = EVENTS - rolled_back

        async def is_empty() -> bool:
            async with sessions() as session:
                return not await session.scalar(select(func.count()).select_from(OutboxRow))

        await until(is_empty)
        doubled = [record for record in broker.records(TOPIC) if chance.random() < 0.1]
        for record in doubled:  # a relay that died before its delete, and text of somebody else
            broker.append(Outgoing(topic=TOPIC, key=record.key, value=record.value, headers=record.headers))
        for _ in range(3):
            broker.append(Outgoing(topic=TOPIC, key=uuid4().bytes, value=b"junk"))

        def is_read() -> bool:
            ends = {record.place.of: record.place.offset + 1 for record in broker.records(TOPIC)}
            return all(broker.committed("readers").get(each, (0,))[0] == end for each, end in ends.items())

        await until(is_read)
    async with sessions() as session:
        effects = await session.scalar(text("SELECT count(*) FROM effect"))
        remembered = set(await session.scalars(select(InboxRow.event_id)))
    dead = Counter(map(_error, broker.records(DEAD)))
    told = _told(metrics)
    of_created = {"topic": TOPIC, "event_type": "order.created"}
    assert told("kafka_producer_messages_total", **of_created) == committed == told("outbox_published_total")
    assert told("kafka_producer_messages_total", topic=OrderSeen.__topic__) == len(broker.records(OrderSeen.__topic__))
    assert told("kafka_consumer_messages_total", **of_created) == attempts.total()
    assert told("kafka_consumer_errors_total", **of_created) == failed.total()
    assert {name: told("kafka_consumer_errors_total", **of_created, error_type=name) for name in failed} == failed
    assert told("kafka_consumer_retries_total", topic=TOPIC) == failed["ValueError"]
    assert told("kafka_dlq_messages_total") == len(broker.records(DEAD)) == dead.total()
    assert told("kafka_dlq_messages_total", error_type="Reject") == dead["Reject"] == failed["Reject"]
    handled = attempts.total() - failed.total()
    assert handled == effects == len(remembered)
    assert told("kafka_event_latency_seconds_count", topic=TOPIC) == handled
    assert told("kafka_consumer_duplicates_total") == sum(_id(record) in remembered for record in doubled) > 0


def _id(record: Record) -> UUID:
    return UUID(first_values(record.headers)[ID].decode())


def _error(record: Record) -> str:
    """The class that the dead letter names."""
    return first_values(record.headers)[DEAD_LETTER_PREFIX + EXCEPTION_FQCN].decode().rpartition(".")[2]


def _told(metrics: Metrics) -> Callable[..., float]:
    """Sums a metric over the series that have these labels."""
    samples = [
        sample for family in text_string_to_metric_families(metrics.text().decode()) for sample in family.samples
    ]

    def told(name: str, **labels: str) -> float:
        return sum(each.value for each in samples if each.name == name and labels.items() <= each.labels.items())

    return told
