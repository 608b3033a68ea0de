"""A request that the broker refuses as a whole: its rows go again, and those that a later row of their key passed are told."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from tests.treaty_runtime.order_events import OrderCreated, OrderSeen
from tests.treaty_runtime.relaying import Service, lasting, renewed, running, until
from tests.treaty_runtime.test_runtime_kafka import _event_on
from treaty_runtime.admin import Cluster
from treaty_runtime.errors import Outage
from treaty_runtime.hooks import Overtaken, PublishRefused
from treaty_runtime.kafka import KafkaProducer
from treaty_runtime.kafka.config import RELAY_REQUEST_BYTES, producer_config, relay_config
from treaty_runtime.kafka.log import Log
from treaty_runtime.logs import Logs
from treaty_runtime.metrics import Metrics
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.sql import database as runtime_database
from treaty_runtime.sql.tables import FailedRow, OutboxRow
from treaty_runtime.transport import Delivery, Fault, FaultKind, Outgoing
from treaty_runtime.transport.memory import MemoryProducer
from treaty_runtime.wire.headers import ID, first_values

TOO_LARGE = Fault("MSG_SIZE_TOO_LARGE", "too large", FaultKind.REFUSED)
INVALID = Fault("INVALID_RECORD", "bad", FaultKind.REFUSED)
INNOCENT = Fault("_INVALID_DIFFERENT_RECORD", "another record of the batch", FaultKind.OUTAGE)
MEGABYTE, LIMIT, ROW_BYTES = 1 << 20, 200_000, 20_000
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
HOOK = Overtaken(topic="order-events", event_type="order.created", event_id=UUID(int=1), error_type=TOO_LARGE.name)


class FirstRefuser(MemoryProducer):
    """Gives the first records the faults of a list, and takes the others, and those whose fault is None."""

    def __init__(self, service: Service, *faults: Fault | None) -> None:
        super().__init__(service.broker)
        self._faults = list(faults)

    def produce(self, record: Outgoing, done: Callable[[Delivery], None]) -> None:
        """Answers in a later turn of the loop, either way."""
        fault = self._faults.pop(0) if self._faults else None
        if fault is None:
            super().produce(record, done)
        else:
            asyncio.get_running_loop().call_soon(done, Delivery(None, -1, fault))


@pytest.fixture
def service(database: AsyncEngine) -> Service:
    return Service(database)


def overtaken(service: Service) -> list[str]:
    """Ids of the events that were told, in order."""
    return [str(hook.event_id) for hook in service.heard(Overtaken) if isinstance(hook, Overtaken)]


async def gone(service: Service) -> bool:
    """Whether the relay has nothing left to do."""
    return not await service.waiting()


async def test_rows_of_a_refused_request_that_a_later_row_passed_are_told_once_each(service: Service) -> None:
    await service.stage(("o-1", 1), ("o-1", 2), ("o-2", 1), ("o-1", 3), ("o-3", 1))
    ids = [event_id for _, event_id in await service.staged()]
    async with service.sessions.begin() as session:
        first = update(OutboxRow).where(OutboxRow.id == UUID(ids[0]))
        await session.execute(first.values(tracingspancontext=f"traceparent={TRACEPARENT}"))
    async with running(service.relay(producer=FirstRefuser(service, *[TOO_LARGE] * 3))):
        await until(lambda: gone(service))
    assert [event_id for _, event_id in service.sent()] == [ids[3], ids[4], *ids[:3]]
    assert overtaken(service) == ids[:2], "nothing passed the row of o-2"
    assert service.heard(Overtaken)[0] == Overtaken(
        topic="order-events",
        event_type="order.created",
        event_id=UUID(ids[0]),
        error_type="MSG_SIZE_TOO_LARGE",
        trace=(("traceparent", TRACEPARENT),),
    )
    assert service.heard(PublishRefused) == []


async def test_an_innocent_that_two_batches_passed_is_told_once(service: Service) -> None:
    relay = await renewed(
        service.relay(producer=FirstRefuser(service, INNOCENT, None, INNOCENT), lease=lasting(service))
    )
    await service.stage(("o-1", 1), ("o-1", 2))
    with pytest.raises(Outage):
        await relay._round()
    await service.stage(("o-1", 3))
    with pytest.raises(Outage):
        await relay._round()
    ((_, innocent),) = await service.staged()
    assert overtaken(service) == [innocent]
    assert await relay._round()
    assert [event_id for _, event_id in service.sent()][-1] == innocent
    assert overtaken(service) == [innocent]
    assert relay._overtaken == set(), "what was sent is forgotten"


async def test_a_row_that_is_set_aside_behind_a_later_one_is_told_and_noted_as_overtaken(service: Service) -> None:
    await service.stage(("o-1", 1), ("o-1", 2))
    (_, refused), _ = await service.staged()
    async with running(service.relay(producer=FirstRefuser(service, INVALID))):
        await until(lambda: service.sent() and service.heard(PublishRefused))
    assert overtaken(service) == [refused]
    async with service.sessions() as session:
        (failed,) = await session.scalars(select(FailedRow))
    assert (failed.code, failed.overtaken) == ("INVALID_RECORD", True)


async def test_a_row_of_another_topic_overtakes_nobody(service: Service) -> None:
    """There is no order between topics: an error would be false."""
    service.broker.refusals["order-views"] = INVALID
    async with service.sessions.begin() as session:
        service.outbox.stage(session, OrderSeen(number=1), key="o-1")
        service.outbox.stage(session, OrderCreated(order_id="o-1", number=2))
    async with running(service.relay()):
        await until(lambda: service.sent() and service.heard(PublishRefused))
    assert overtaken(service) == []
    async with service.sessions() as session:
        (failed,) = await session.scalars(select(FailedRow))
    assert not failed.overtaken


def test_an_overtaken_row_is_an_error_in_the_log_and_counts_by_topic() -> None:
    metrics = Metrics("order")
    metrics.declare(groups=[], events=[OrderCreated])
    series = 'outbox_overtaken_messages_total{service="order",topic="order-events"}'
    assert f"{series} 0.0" in metrics.text().decode()
    metrics(HOOK)
    assert f"{series} 1.0" in metrics.text().decode()
    with capture_logs() as lines:
        Logs("order")(HOOK)
    assert [(line["log_level"], line["event"], line["event_id"], line["error_type"]) for line in lines] == [
        ("error", "overtaken", str(HOOK.event_id), "MSG_SIZE_TOO_LARGE")
    ]


def test_a_relays_requests_are_small_unless_somebody_says_otherwise() -> None:
    settings = KafkaSettings(brokers="localhost:9092")
    assert relay_config(settings)["batch.size"] == RELAY_REQUEST_BYTES
    assert producer_config(settings, delivery_timeout=timedelta(0))["batch.size"] == MEGABYTE
    chosen = KafkaSettings(brokers="localhost:9092", extra={"producer.batch.size": 5_000})
    assert relay_config(chosen)["batch.size"] == 5_000


@pytest.mark.kafka
@pytest.mark.parametrize("request_bytes", [None, MEGABYTE], ids=["ours", "a megabyte"])
async def test_a_topic_that_takes_less_than_a_megabyte(
    kafka: str, unique: Callable[[str], str], tmp_path: Path, request_bytes: int | None
) -> None:
    """Twelve rows would be a request that is too large, the other six one that is not: these overtake unless requests are small."""
    event: Any = _event_on(unique("orders"))
    with Cluster(kafka) as cluster:
        cluster.create(event.__topic__, partitions=1, replication=1, config={"max.message.bytes": str(LIMIT)})
        cluster.await_topics([event.__topic__])
    extra = {"producer.linger.ms": 100, "producer.batch.num.messages": 12}
    extra |= {} if request_bytes is None else {"producer.batch.size": request_bytes}
    producer = KafkaProducer(relay_config(KafkaSettings(brokers=kafka, extra=extra)))
    engine = runtime_database.open_engine(f"sqlite:///{tmp_path / 'service.sqlite'}")
    await runtime_database.create(engine)
    service = Service(engine)
    async with service.sessions.begin() as session:
        for number in range(18):
            padding = {"padding": os.urandom(ROW_BYTES // 2).hex().encode()}
            service.outbox.stage(session, event(order_id=f"o-{number % 3}", number=number), headers=padding)
    staged = await service.staged()
    relay = service.relay(producer=producer)
    async with running(relay):
        await until(lambda: gone(service))
    await producer.close()
    await engine.dispose()
    with Log(kafka) as log:
        records = log.read(log.spans([event.__topic__]))
        sent = [first_values(record.headers)[ID].decode() for record in records]
    assert sorted(sent) == sorted(event_id for _, event_id in staged)
    assert sorted(overtaken(service)) == sorted(passed(staged, sent))
    assert bool(overtaken(service)) == (request_bytes is not None)


def passed(staged: Sequence[tuple[str, str]], sent: Sequence[str]) -> list[str]:
    """Ids of the events that lie behind a later one of their key."""
    places = {event_id: place for place, event_id in enumerate(sent)}
    return [
        event_id
        for number, (key, event_id) in enumerate(staged)
        if any(key == other and places[later] < places[event_id] for other, later in staged[number + 1 :])
    ]
