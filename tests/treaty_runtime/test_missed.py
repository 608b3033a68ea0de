"""Records that Kafka deleted before a group read them: nobody can handle them any more, and somebody is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.parts.waiting import eventually
from tests.treaty_runtime.order_events import FakeRegistry
from tests.treaty_runtime.shop import Shop, group_of
from treaty_runtime.admin import Cluster
from treaty_runtime.event import Context, Partition, Place, Record
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.hooks import Missed, OutageBegan
from treaty_runtime.kafka import KafkaSource
from treaty_runtime.kafka import source as reading
from treaty_runtime.kafka.config import consumer_config
from treaty_runtime.kafka.groups import Groups
from treaty_runtime.kafka.log import Log
from treaty_runtime.kafka.resets import Reset, Resets, reset_of
from treaty_runtime.metrics import Metrics
from treaty_runtime.runtime import Runtime
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.testing.chaos import Chaos
from treaty_runtime.transport import Missed as MissedBefore
from treaty_runtime.transport import Outgoing, Records

LINE = (
    "[thrd:main]: orders.v-1_x [3]: offset reset (at offset 50 (leader epoch 0), broker 1) to {end} (leader epoch -1): "
    "fetch failed due to requested offset not available on the broker: Broker: Offset out of range"
)
PLACE = Place("orders.v-1_x", 3, 50)
WRITTEN, READ, GONE = 10, 2, 6


@pytest.mark.parametrize(
    ("end", "is_to_start"),
    [("offset BEGINNING", True), ("offset END", False), ("cached BEGINNING offset offset 80", True)],
)
def test_the_clients_line_names_the_place_and_where_it_goes_on(end: str, *, is_to_start: bool) -> None:
    assert reset_of(LINE.format(end=end)) == Reset(PLACE, is_to_start)


@pytest.mark.parametrize(
    "line",
    [
        "",
        LINE.format(end="offset STORED"),
        LINE.format(end="offset END").replace(
            "at offset 50", "at offset INVALID"
        ),  # nothing committed yet: nothing was to be read
        "[thrd:main]: orders [3]: offset reset (at offset 50",
    ],
)
def test_other_lines_tell_of_no_reset(line: str) -> None:
    assert reset_of(line) is None


@pytest.mark.parametrize(
    ("config", "heard"),
    [({"log_level": 2}, 0), ({"log_level": 4}, 1), ({"log_level": 99}, 2), ({"log_level": 2, "debug": "cgrp"}, 2)],
)
def test_the_clients_lines_reach_whoever_asked_for_them(
    caplog: pytest.LogCaptureFixture, config: dict[str, object], heard: int
) -> None:
    resets = Resets(config)
    caplog.set_level(logging.DEBUG)
    for level in (logging.WARNING, logging.DEBUG):
        resets.log(level, "%s [%s] %s", "OFFSET", "rdkafka#consumer-1", LINE.format(end="offset END"))
    assert len(caplog.records) == heard
    assert list(resets.seen) == [Reset(PLACE, is_to_start=False)] * 2


class Edges:
    """A client that says what a partition holds when it comes to it."""

    def __init__(self, *answers: tuple[int, int] | None) -> None:
        self.answers = list(answers)

    def get_watermark_offsets(self, _partition: TopicPartition, **_options: float) -> tuple[int, int] | None:
        answer = self.answers.pop(0)
        if answer == (0, 0):
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return answer


@pytest.mark.parametrize(
    ("is_to_start", "edges", "told"),
    [
        (True, (80, 100), [MissedBefore(PLACE, 80)]),
        (False, (80, 100), [MissedBefore(PLACE, 100)]),
        (True, (0, 20), []),  # a shorter log: a topic that was made anew
    ],
)
def test_the_edges_are_asked_for_until_they_are_known(
    monkeypatch: pytest.MonkeyPatch, *, is_to_start: bool, edges: tuple[int, int], told: list[object]
) -> None:
    source = KafkaSource(consumer_config(KafkaSettings(), group="view"), topics=["orders"])
    source._assigned = {PLACE.of}
    source._resets.seen.append(Reset(PLACE, is_to_start))
    client, now = Edges((0, 0), None, edges), [0.0]
    monkeypatch.setattr(reading, "monotonic", lambda: now[0])
    for unasked in (2, 1):
        for _ in range(2):  # not at once again: meanwhile nothing is polled
            source._tell_missed(client)
            assert len(client.answers) == unasked
            assert source.poll_age_seconds == 0
        now[0] += 5
    source._tell_missed(client)
    assert list(source._arrived) == told
    source._resets.seen.append(Reset(Place("left", 0, 1), is_to_start))
    source._tell_missed(client)
    assert (list(source._arrived), list(source._resets.seen)) == (told, [])


async def test_a_group_that_is_to_stop_there_does_so_and_says_why(chaos: Chaos) -> None:
    """`auto.offset.reset=error`: the client would never read the partition again, and nobody would know."""
    shop = Shop(chaos.bootstrap, **{"consumer.auto.offset.reset": "error"})
    handlers = Handlers()

    @handlers.raw("bytes")
    async def note(_record: Record, _context: Context) -> None: ...

    async with shop.running(group_of(handlers)):
        await eventually(lambda: shop.told(OutageBegan))
    assert shop.told(OutageBegan)[0].error.startswith("_AUTO_OFFSET_RESET: no previously committed offset")
    await shop.producer.close()


@pytest.mark.kafka
@pytest.mark.xdist_group("kafka")
@pytest.mark.parametrize(
    ("protocol", "policy", "until"), [("classic", "earliest", GONE), ("consumer", "latest", WRITTEN)]
)
async def test_what_was_deleted_before_the_group_read_it_is_told_and_counted(
    kafka: str, unique: Callable[[str], str], protocol: str, policy: str, until: int
) -> None:
    topic, group, read = unique("orders"), unique("view"), list[int]()
    handlers, told, metrics = Handlers(), list[object](), Metrics("order")

    @handlers.raw(topic)
    async def note(record: Record, _context: Context) -> None:
        read.append(record.place.offset)

    def make() -> None:
        with Cluster(kafka) as cluster, Log(kafka) as log:
            cluster.create(topic, partitions=1, replication=1, config={})
            cluster.await_topics([topic])
            for _ in range(WRITTEN):
                log.append(Outgoing(topic=topic, key=None, value=b"v", partition=0))
        Groups(kafka).commit(group, {Partition(topic, 0): READ})
        admin = AdminClient({"bootstrap.servers": kafka})
        for done in admin.delete_records([TopicPartition(topic, 0, GONE)]).values():
            done.result(60)

    await asyncio.to_thread(make)
    extra = {"consumer.auto.offset.reset": policy}
    runtime = Runtime(
        service="order",
        settings=KafkaSettings(brokers=kafka, group_protocol=protocol, extra=extra),
        events={},
        groups=[Group(group, handlers, dead_letter=unique("dlq.order"), has_retry_topics=False)],
        registry=FakeRegistry(),
        observers=[told.append, metrics],
    )
    async with runtime:
        await eventually(lambda: any(isinstance(hook, Missed) for hook in told))
        await eventually(lambda: read == list(range(until, WRITTEN)))
    assert [hook for hook in told if isinstance(hook, Missed)] == [
        Missed(group=group, place=Place(topic, 0, READ), until=until)
    ]
    counted = f'kafka_consumer_missed_messages_total{{consumergroup="{group}",topic="{topic}"}} {until - READ}.0'
    assert counted in metrics.text().decode()


async def delete_while_paused(bootstrap: str, topic: str, delete: Callable[[], object]) -> list[object]:
    """What a member hears that reads two records, is paused while more come and the first ones are deleted, and goes on."""
    source = KafkaSource(consumer_config(KafkaSettings(brokers=bootstrap), group=f"view-{topic}"), topics=[topic])
    seen: list[object] = []

    def write(count: int) -> None:
        with Log(bootstrap) as log:
            for _ in range(count):
                log.append(Outgoing(topic=topic, key=None, value=b"v", partition=0))

    async def follow() -> None:
        async for event in source.events():
            seen.append(event)
            getattr(event, "done", lambda _: None)({})

    def read() -> int:
        return sum(len(event.records) for event in seen if isinstance(event, Records))

    following = asyncio.create_task(follow())
    await asyncio.to_thread(write, READ)
    await eventually(lambda: read() == READ)
    source.pause([Partition(topic, 0)])
    await eventually(lambda: not source._commands)
    await asyncio.to_thread(write, WRITTEN - READ)
    await asyncio.to_thread(delete)
    source.resume([Partition(topic, 0)])
    await eventually(lambda: read() == READ + WRITTEN - GONE)
    await eventually(lambda: not source._resets.seen)
    await source.close()
    await following
    return [event for event in seen if isinstance(event, MissedBefore)]


@pytest.mark.kafka
@pytest.mark.xdist_group("kafka")
async def test_what_was_deleted_while_its_partition_was_paused_is_told(
    kafka: str, unique: Callable[[str], str]
) -> None:
    topic = unique("orders")

    def delete() -> None:
        admin = AdminClient({"bootstrap.servers": kafka})
        for done in admin.delete_records([TopicPartition(topic, 0, GONE)]).values():
            done.result(60)

    with Cluster(kafka) as cluster:
        cluster.create(topic, partitions=1, replication=1, config={})
        cluster.await_topics([topic])
    assert await delete_while_paused(kafka, topic, delete) == [MissedBefore(Place(topic, 0, READ), GONE)]


async def test_a_client_that_knows_where_the_partition_begins_says_it_in_other_words(chaos: Chaos) -> None:
    chaos.topic("paused")
    told = await delete_while_paused(chaos.bootstrap, "paused", lambda: chaos.delete_records("paused", 0, before=GONE))
    assert told == [MissedBefore(Place("paused", 0, READ), GONE)]
