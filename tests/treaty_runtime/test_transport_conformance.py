"""One suite for every transport: memory, the mock brokers, a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import pytest

from tests.parts.waiting import eventually
from treaty_runtime.event import Partition, Record
from treaty_runtime.kafka import KafkaProducer, KafkaSource
from treaty_runtime.kafka.config import consumer_config, producer_config
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.testing.chaos import Chaos
from treaty_runtime.transport import (
    Assigned,
    Delivery,
    Lost,
    Outgoing,
    Position,
    Producer,
    Records,
    Revoking,
    Source,
    SourceEvent,
)
from treaty_runtime.transport.memory import MemoryBroker, MemoryProducer, MemorySource

QUICK = {"consumer.session.timeout.ms": 6000, "consumer.heartbeat.interval.ms": 300, "consumer.fetch.wait.max.ms": 50}


@dataclass(frozen=True)
class Features:
    """What a transport can do beyond the common."""

    name: str
    has_cooperative_takeover: bool = True


class Transport(Protocol):
    """Makes producers and sources on one broker."""

    features: Features

    def topic(self, name: str, partitions: int) -> None: ...

    def producer(self) -> Producer: ...

    def source(self, group: str, *topics: str) -> Source: ...


class Memory:
    features = Features("memory")

    def __init__(self) -> None:
        self.broker = MemoryBroker(partitions=1)

    def topic(self, name: str, partitions: int) -> None:
        self.broker.topic(name, partitions=partitions)

    def producer(self) -> Producer:
        return MemoryProducer(self.broker)

    def source(self, group: str, *topics: str) -> Source:
        return MemorySource(self.broker, group=group, topics=topics)


class Broker:
    """Anything that speaks Kafka's protocol."""

    def __init__(
        self,
        features: Features,
        bootstrap: str,
        make_topic: Callable[[str, int], None],
        *,
        group_protocol: str = "classic",
        extra: Mapping[str, Any] = QUICK,
    ) -> None:
        self.features, self._make_topic = features, make_topic
        self._settings = KafkaSettings(brokers=bootstrap, group_protocol=group_protocol, extra=extra)

    def topic(self, name: str, partitions: int) -> None:
        self._make_topic(name, partitions)

    def producer(self) -> Producer:
        return KafkaProducer(producer_config(self._settings, delivery_timeout=timedelta(seconds=20)))

    def source(self, group: str, *topics: str) -> Source:
        return KafkaSource(consumer_config(self._settings, group=group), topics=topics)


def create_topic(bootstrap: str, name: str, partitions: int) -> None:
    from confluent_kafka.admin import AdminClient, NewTopic

    admin = AdminClient({"bootstrap.servers": bootstrap})
    kept = {"retention.ms": "-1"}  # records with times of their own too
    topic = NewTopic(name, num_partitions=partitions, replication_factor=1, config=kept)
    for future in admin.create_topics([topic]).values():
        future.result(20)


PATIENT = {**QUICK, "consumer.session.timeout.ms": 30_000}
"""For a broker in a process of its own, which may hear nothing of a member for a while when its machine has other things to do."""
REAL: dict[str, dict[str, Any]] = {
    "cooperative": {"extra": PATIENT},
    "eager": {"extra": {**PATIENT, "consumer.partition.assignment.strategy": "range"}},
    "kip-848": {"group_protocol": "consumer", "extra": {"consumer.fetch.wait.max.ms": 50}},
}


@pytest.fixture(params=["memory", "mock", *(pytest.param(name, marks=pytest.mark.kafka) for name in REAL)])
def transport(request: pytest.FixtureRequest) -> Iterator[Transport]:
    if request.param == "memory":
        yield Memory()
    elif request.param == "mock":
        with Chaos() as chaos:
            # The mock hands partitions to a second member only after the session of the first.
            features = Features("mock", has_cooperative_takeover=False)
            yield Broker(features, chaos.bootstrap, lambda name, partitions: chaos.topic(name, partitions=partitions))
    else:
        bootstrap = str(request.getfixturevalue("kafka"))
        make = REAL[str(request.param)]
        yield Broker(
            Features(str(request.param)), bootstrap, lambda name, count: create_topic(bootstrap, name, count), **make
        )


class Reader:
    """Reads a source and remembers what happened; a revocation commits what ``finished`` says."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.records: list[Record] = []
        self.events: list[SourceEvent] = []
        self.finished: dict[Partition, Position] = {}

    @property
    def assigned(self) -> set[Partition]:
        mine: set[Partition] = set()
        for event in self.events:
            if isinstance(event, Assigned):
                mine |= event.partitions
            elif not isinstance(event, Records):
                mine -= getattr(event, "partitions", frozenset())
        return mine

    @property
    def values(self) -> list[bytes | None]:
        return [record.value for record in self.records]

    async def run(self) -> None:
        async for event in self.source.events():
            self.events.append(event)
            if isinstance(event, Records):
                self.records += event.records
            elif isinstance(event, Revoking):
                event.done(
                    {partition: self.finished[partition] for partition in event.partitions & self.finished.keys()}
                )


@asynccontextmanager
async def reading(source: Source) -> AsyncIterator[Reader]:
    reader = Reader(source)
    task = asyncio.create_task(reader.run())
    try:
        yield reader
    finally:
        await source.close()
        await asyncio.wait_for(task, 90)


async def send(producer: Producer, *records: Outgoing) -> list[Delivery]:
    answers: list[Delivery] = []
    for record in records:
        producer.produce(record, answers.append)
    await eventually(lambda: len(answers) == len(records))
    return answers


def numbered(topic: str, count: int, **more: Any) -> list[Outgoing]:
    return [Outgoing(topic=topic, key=b"k", value=str(number).encode(), **more) for number in range(count)]


async def test_a_record_arrives_as_it_was_sent(transport: Transport, unique: Callable[[str], str]) -> None:
    topic = unique("orders")
    transport.topic(topic, 1)
    producer = transport.producer()
    record = Outgoing(
        topic=topic,
        key=b"\x00k",
        value=b"v",
        headers=(("a", b"1"), ("a", b"\xff"), ("b", b"")),
        timestamp_ms=1_700_000_000_123,
    )
    (answer,) = await send(producer, record)
    assert answer.fault is None
    async with reading(transport.source(unique("g"), topic)) as reader:
        await eventually(lambda: reader.records)
    (got,) = reader.records
    assert (got.key, got.value, got.headers, got.timestamp_ms) == (
        record.key,
        record.value,
        record.headers,
        record.timestamp_ms,
    )
    assert got.place == answer.place
    await producer.close()


async def test_records_of_a_key_keep_their_order(transport: Transport, unique: Callable[[str], str]) -> None:
    topic = unique("orders")
    transport.topic(topic, 3)
    producer = transport.producer()
    answers = await send(producer, *numbered(topic, 500))
    assert len({answer.place.partition for answer in answers if answer.place}) == 1
    async with reading(transport.source(unique("g"), topic)) as reader:
        await eventually(lambda: len(reader.records) == 500)
    assert reader.values == [str(number).encode() for number in range(500)]
    await producer.close()


async def test_a_tombstone_and_a_missing_key_stay_none(transport: Transport, unique: Callable[[str], str]) -> None:
    topic = unique("orders")
    transport.topic(topic, 1)
    producer = transport.producer()
    await send(producer, Outgoing(topic=topic, key=None, value=b"v"), Outgoing(topic=topic, key=b"k", value=None))
    async with reading(transport.source(unique("g"), topic)) as reader:
        await eventually(lambda: len(reader.records) == 2)
    assert [(record.key, record.value) for record in reader.records] == [(None, b"v"), (b"k", None)]
    await producer.close()


async def test_a_new_member_begins_where_the_group_committed(
    transport: Transport, unique: Callable[[str], str]
) -> None:
    topic, group = unique("orders"), unique("g")
    transport.topic(topic, 1)
    partition = Partition(topic, 0)
    producer = transport.producer()
    await send(producer, *numbered(topic, 10))
    async with reading(transport.source(group, topic)) as reader:
        await eventually(lambda: len(reader.records) == 10)
        await reader.source.commit({partition: Position(4, "d1")})
    async with reading(transport.source(group, topic)) as second:
        await eventually(lambda: len(second.records) == 6)
    assert second.values[0] == b"4"
    assigned = [event for event in second.events if isinstance(event, Assigned) and event.partitions]
    assert assigned[0].committed == {partition: Position(4, "d1")}
    await producer.close()


async def test_leaving_asks_for_a_last_commit(transport: Transport, unique: Callable[[str], str]) -> None:
    topic, group = unique("orders"), unique("g")
    transport.topic(topic, 1)
    producer = transport.producer()
    await send(producer, *numbered(topic, 3))
    async with reading(transport.source(group, topic)) as reader:
        await eventually(lambda: len(reader.records) == 3)
        reader.finished[Partition(topic, 0)] = Position(2)
    assert isinstance(reader.events[-1], Revoking)
    async with reading(transport.source(group, topic)) as second:
        await eventually(lambda: second.records)
    assert second.values == [b"2"]
    await producer.close()


async def test_a_paused_partition_is_silent_and_goes_on_where_it_stopped(
    transport: Transport, unique: Callable[[str], str]
) -> None:
    topic = unique("orders")
    transport.topic(topic, 2)
    still, busy = Partition(topic, 0), Partition(topic, 1)
    producer = transport.producer()
    async with reading(transport.source(unique("g"), topic)) as reader:
        await eventually(lambda: reader.assigned == {still, busy})
        await send(producer, *numbered(topic, 5, partition=0))
        await eventually(lambda: len(reader.records) == 5)
        reader.source.pause([still])
        # A command is obeyed before the next fetch; what the other partition brings shows that one has passed.
        await send(producer, *numbered(topic, 1, partition=1))
        await eventually(lambda: len(reader.records) == 6)
        await send(producer, *numbered(topic, 5, partition=0))
        await send(producer, *numbered(topic, 1, partition=1))
        await eventually(lambda: len(reader.records) == 7)
        assert [record.place.partition for record in reader.records[5:]] == [1, 1]
        reader.source.resume([still])
        await eventually(lambda: len(reader.records) == 12)
    assert [record.place.offset for record in reader.records if record.place.partition == 0] == list(range(10))
    await producer.close()


async def test_seeking_back_reads_again(transport: Transport, unique: Callable[[str], str]) -> None:
    topic = unique("orders")
    transport.topic(topic, 1)
    producer = transport.producer()
    await send(producer, *numbered(topic, 4))
    async with reading(transport.source(unique("g"), topic)) as reader:
        await eventually(lambda: len(reader.records) == 4)
        reader.source.seek(reader.records[2].place)
        await eventually(lambda: len(reader.records) == 6)
    assert reader.values[4:] == [b"2", b"3"]
    partition = frozenset({Partition(topic, 0)})
    around = [event for event in reader.events if isinstance(event, Assigned | Lost | Records)]
    again = around.index(Lost(partition))
    assert isinstance(around[again - 1], Records), "a new assignment begins where it reads again"
    assert around[again + 1] == Assigned(partition, {})
    await producer.close()


async def test_a_second_member_takes_over_half_without_loss(transport: Transport, unique: Callable[[str], str]) -> None:
    if not transport.features.has_cooperative_takeover:
        pytest.skip("the mock brokers give partitions to a second member only after a session time-out")
    topic, group = unique("orders"), unique("g")
    transport.topic(topic, 4)
    producer = transport.producer()
    async with reading(transport.source(group, topic)) as first:
        await eventually(lambda: len(first.assigned) == 4)
        async with reading(transport.source(group, topic)) as second:
            await eventually(lambda: len(second.assigned) == 2 and len(first.assigned) == 2)
            assert not first.assigned & second.assigned
            for number in range(4):
                await send(producer, *numbered(topic, 2, partition=number))
            await eventually(lambda: len(first.records) + len(second.records) == 8)
        await eventually(lambda: len(first.assigned) == 4)
    await producer.close()


async def test_a_closed_source_ends_its_events_and_takes_no_commit(
    transport: Transport, unique: Callable[[str], str]
) -> None:
    topic = unique("orders")
    transport.topic(topic, 1)
    async with reading(transport.source(unique("g"), topic)) as reader:
        await eventually(lambda: reader.assigned)
    reader.source.pause([Partition(topic, 0)])
    reader.source.resume([Partition(topic, 0)])


async def test_flush_waits_for_every_answer(transport: Transport, unique: Callable[[str], str]) -> None:
    topic = unique("orders")
    transport.topic(topic, 1)
    producer = transport.producer()
    answers: list[Delivery] = []
    for record in numbered(topic, 50):
        producer.produce(record, answers.append)
    assert answers == [], "no answer comes before the loop turns"
    assert await producer.flush(timedelta(seconds=20)) == 0
    assert len(answers) == 50
    await producer.room()
    await producer.close()


class CountedPolls(KafkaProducer):
    """Counts how often it asks for answers."""

    polls = 0

    def _turn(self) -> None:
        self.polls += 1
        super()._turn()


async def test_one_batch_of_answers_is_one_turn_of_the_loop() -> None:
    """Waking the loop is dear: one ``call_soon_threadsafe`` per delivery poll and per consumed batch, not per record."""
    with Chaos() as chaos:
        chaos.topic("t", partitions=1)
        settings = KafkaSettings(brokers=chaos.bootstrap, extra=QUICK)
        producer = CountedPolls(producer_config(settings, delivery_timeout=timedelta(seconds=20)))
        source = KafkaSource(consumer_config(settings, group="g"), topics=["t"])
        loop = asyncio.get_running_loop()
        calls = 0
        original = loop.call_soon_threadsafe

        def counting(*arguments: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            return original(*arguments, **options)

        loop.call_soon_threadsafe = counting  # type: ignore[method-assign,assignment]  # counts, does nothing else
        try:
            await send(producer, *numbered("t", 5_000))
            assert producer.polls >= 1
            assert calls <= producer.polls
            calls = 0
            async with reading(source) as reader:
                await eventually(lambda: len(reader.records) == 5_000)
                assert calls <= len(reader.events) + 2
                # How many come together is the machine's affair; if all came alone, the line above would say nothing.
                assert any(len(event.records) > 1 for event in reader.events if isinstance(event, Records))
        finally:
            loop.call_soon_threadsafe = original  # type: ignore[method-assign]  # the loop is put back as it was
            await producer.close()
