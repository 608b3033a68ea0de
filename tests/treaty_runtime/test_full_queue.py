"""A producer's queue is full by records or by bytes: who waits for room gets it, and the event loop goes on meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest

from treaty.local.ports import LOOPBACK, free_port
from treaty_runtime.errors import QueueFull
from treaty_runtime.kafka import KafkaProducer
from treaty_runtime.kafka.config import producer_config
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.testing.chaos import Chaos
from treaty_runtime.transport import Delivery, FaultKind, Outgoing

KILOBYTES = 1024
BIG = bytes(300 << 10)
MANY = 20


@pytest.fixture
def chaos() -> Iterator[Chaos]:
    with Chaos() as made:
        made.topic("t", partitions=1)
        yield made


def producer_of(bootstrap: str, **limits: int) -> KafkaProducer:
    config = producer_config(KafkaSettings(brokers=bootstrap), delivery_timeout=timedelta(seconds=60))
    return KafkaProducer({**config, "compression.type": "none", "linger.ms": 0, **limits})


async def put(producer: KafkaProducer, record: Outgoing, answers: list[Delivery]) -> None:
    while True:
        try:
            return producer.produce(record, answers.append)
        except QueueFull:
            await producer.room()


async def test_a_producer_of_another_event_loop_takes_nothing(chaos: Chaos) -> None:
    """Its answers would wake nobody, and whoever tries again would publish twice."""
    producer, answers = producer_of(chaos.bootstrap), list[Delivery]()
    producer.open()

    async def elsewhere() -> None:
        with pytest.raises(RuntimeError, match="belongs to another event loop"):
            producer.produce(Outgoing(topic="t", key=None, value=b"x"), answers.append)

    await asyncio.to_thread(asyncio.run, elsewhere())
    await put(producer, Outgoing(topic="t", key=None, value=b"y"), answers)
    assert await producer.flush(timedelta(seconds=10)) == 0
    assert [each.place and each.place.offset for each in answers] == [0]
    await producer.close()


@pytest.mark.parametrize(
    "limits", [{"queue.buffering.max.kbytes": KILOBYTES}, {"queue.buffering.max.messages": 3}], ids=["bytes", "records"]
)
async def test_while_kafka_is_away_a_full_queue_keeps_nobody_else_waiting(limits: dict[str, int]) -> None:
    producer, answers, turns = producer_of(f"{LOOPBACK}:{free_port()}", **limits), list[Delivery](), 0

    async def goes_on() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.01)
            turns += 1

    async def fill() -> None:
        for _ in range(MANY):
            await put(producer, Outgoing(topic="t", key=None, value=BIG), answers)

    going = asyncio.create_task(goes_on())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(fill(), 0.5)
    going.cancel()
    assert turns > 5
    assert answers == []
    await producer.close()


@pytest.mark.parametrize(
    "limits", [{"queue.buffering.max.kbytes": KILOBYTES}, {"queue.buffering.max.messages": 3}], ids=["bytes", "records"]
)
async def test_whoever_waits_for_room_gets_it_as_answers_come(chaos: Chaos, limits: dict[str, int]) -> None:
    producer, answers = producer_of(chaos.bootstrap, **limits), list[Delivery]()
    async with asyncio.timeout(60):
        for _ in range(MANY):
            await put(producer, Outgoing(topic="t", key=None, value=BIG), answers)
        await producer.flush(timedelta(seconds=60))
    assert [answer.fault for answer in answers] == [None] * MANY
    await producer.close()


async def test_a_record_that_no_empty_queue_has_room_for_is_refused(chaos: Chaos) -> None:
    producer, answers = producer_of(chaos.bootstrap, **{"queue.buffering.max.kbytes": 1}), list[Delivery]()
    async with asyncio.timeout(60):
        await put(producer, Outgoing(topic="t", key=None, value=b"small"), answers)
        await put(producer, Outgoing(topic="t", key=None, value=BIG), answers)
        await put(producer, Outgoing(topic="t", key=None, value=b"small"), answers)
        await producer.flush(timedelta(seconds=60))
    faults = [answer.fault for answer in answers if answer.fault]
    assert [(fault.name, fault.kind) for fault in faults] == [("_QUEUE_FULL", FaultKind.REFUSED)]
    assert len(answers) == 3
    await producer.close()
