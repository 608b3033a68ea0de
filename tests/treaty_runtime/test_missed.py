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
from treaty_runtime.errors import InvalidSettings
from treaty_runtime.event import Context, Partition, Place, Record
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.hooks import Missed, OutageBegan
from treaty_runtime.kafka import KafkaSource
from treaty_runtime.kafka import resets as resetting
from treaty_runtime.kafka.config import consumer_config
from treaty_runtime.kafka.groups import Groups
from treaty_runtime.kafka.log import Log
from treaty_runtime.kafka.resets import SILENT_SECONDS, Reset, Resets, reset_of
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
    [({"log_level": 2}, 0), ({"log_level": 4}, 1), ({"log_level": "7"}, 2), ({"log_level": 2, "debug": "cgrp"}, 2)],
)
def test_the_clients_lines_reach_whoever_asked_for_them(
    caplog: pytest.LogCaptureFixture, config: dict[str, object], heard: int
) -> None:
    resets = Resets(config)
    caplog.set_level(logging.DEBUG)
    for level in (logging.WARNING, logging.DEBUG):
        resets.log(level, "%s [%s] %s", "OFFSET", "rdkafka#consumer-1", LINE.format(end="offset END"))
    assert len(caplog.records) == heard
    assert resets.open == {PLACE.of: Reset(PLACE, is_to_start=False)}


@pytest.mark.parametrize("level", ["loud", "-1", 8])
def test_a_level_that_is_none_is_a_fault_of_the_settings(level: object) -> None:
    with pytest.raises(InvalidSettings, match="log_level is a number from 0 to 7"):
        Resets({"log_level": level})


class Fetched:
    """A message as far as it is looked at here."""

    def __init__(self, place: Place) -> None:
        self.topic, self.partition, self.offset = lambda: place.topic, lambda: place.partition, lambda: place.offset


def reset(resets: Resets, end: str = "offset BEGINNING") -> None:
    resets.log(logging.WARNING, "%s [%s] %s", "OFFSET", "rdkafka#consumer-1", LINE.format(end=end))


@pytest.mark.parametrize(
    ("offsets", "told"),
    [
        ((80, 81), [MissedBefore(PLACE, 80)]),
        ((48, 49), []),  # what was fetched before
        ((48, 49, 80, 81), [MissedBefore(PLACE, 80)]),
        ((50, 51, 80), []),  # the place is there: its topic was made anew, and has grown since
    ],
)
def test_the_first_record_behind_a_reset_says_what_is_missing(offsets: tuple[int, ...], told: list[object]) -> None:
    resets = Resets({})
    reset(resets)
    others = [Fetched(Place("others", 3, 90))]
    assert list(resets.missed([*others, *(Fetched(PLACE._replace(offset=offset)) for offset in offsets)])) == told
    assert bool(resets.open) is (offsets[-1] < PLACE.offset)


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
    ("edges", "told", "is_open"),
    [
        ((80, 80), MissedBefore(PLACE, 80), False),
        ((80, 100), None, True),  # its first record says it
        ((20, 20), None, False),  # a topic that was made anew: nobody can say what it held
    ],
)
def test_of_a_partition_that_is_empty_now_the_edges_say_it(
    edges: tuple[int, int], told: object, *, is_open: bool
) -> None:
    now = [0.0]
    resets, client = Resets({}, clock=lambda: now[0]), Edges((0, 0), None, edges)
    reset(resets)
    assert (resets.missed_in_silence(client), len(client.answers)) == (None, 3), "its records are given time to come"
    for left in (2, 1):
        now[0] += SILENT_SECONDS
        for _ in range(2):  # without an answer not at once again: nothing is polled meanwhile
            assert (resets.missed_in_silence(client), len(client.answers)) == (None, left)
    now[0] += SILENT_SECONDS
    assert resets.missed_in_silence(client) == told
    assert bool(resets.open) is is_open


def test_each_silent_partition_has_its_turn_and_one_that_left_has_none() -> None:
    now = [0.0]
    resets, client = Resets({}, clock=lambda: now[0]), Edges((80, 100), (90, 90), (80, 100))
    reset(resets, "offset END")
    now[0] += SILENT_SECONDS
    assert (resets.missed_in_silence(client), len(client.answers)) == (None, 3), (
        "the end moves on: its first record says it"
    )
    resets.forget([PLACE.of])
    for partition in (1, 2, 3):
        line = LINE.format(end="offset BEGINNING").replace("[3]", f"[{partition}]")
        resets.log(logging.WARNING, "%s [%s] %s", "OFFSET", "rdkafka#consumer-1", line)
    resets.forget([Partition(PLACE.topic, 2)])
    now[0] += SILENT_SECONDS
    for left, told in ((2, None), (1, MissedBefore(PLACE, 90)), (0, None)):
        assert (resets.missed_in_silence(client), len(client.answers)) == (told, left)
        assert (resets.missed_in_silence(client), len(client.answers)) == (None, left), (
            "one that waits is not asked about all the time"
        )
        now[0] += SILENT_SECONDS / 2 if left == 2 else SILENT_SECONDS
    assert [each.partition for each in resets.open] == [1]


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
    ("protocol", "policy"), [("classic", "earliest"), ("consumer", "earliest"), ("consumer", "latest")]
)
async def test_what_was_deleted_before_the_group_read_it_is_told_and_counted(
    kafka: str, unique: Callable[[str], str], protocol: str, policy: str
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
    with Log(kafka) as more:

        async def is_told() -> bool:
            await asyncio.to_thread(more.append, Outgoing(topic=topic, key=None, value=b"v", partition=0))
            return any(isinstance(hook, Missed) for hook in told)

        async with runtime:
            await eventually(is_told)
            await eventually(lambda: bool(read))
    until = read[0]
    assert until == GONE if policy == "earliest" else until >= WRITTEN
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


@pytest.mark.long
async def test_who_takes_a_partition_over_hears_what_the_one_before_read_nothing_behind(
    chaos: Chaos, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Emptied, and given away before anything came: the next one begins at the same place."""
    monkeypatch.setattr(resetting, "SILENT_SECONDS", 0.2)
    chaos.topic("emptied")
    shop = Shop(chaos.bootstrap)
    handlers = Handlers()

    @handlers.raw("emptied")
    async def note(_record: Record, _context: Context) -> None: ...

    await shop.send(*(Outgoing(topic="emptied", key=None, value=b"v") for _ in range(WRITTEN)))
    await asyncio.to_thread(Groups(chaos.bootstrap).commit, "order", {Partition("emptied", 0): READ})
    chaos.delete_records("emptied", 0, before=WRITTEN)

    async def told_in_a_life() -> list[object]:
        shop.hooks.clear()
        async with shop.running(group_of(handlers, has_retry_topics=False)):
            await eventually(lambda: shop.told(Missed))
        return shop.told(Missed)

    missed = Missed(group="order", place=Place("emptied", 0, READ), until=WRITTEN)
    assert [await told_in_a_life() for _ in range(2)] == [[missed], [missed]]
    await shop.producer.close()
