"""What librdkafka and its binding do beyond what their documents say, and that we bear it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from tests.parts.waiting import eventually
from tests.treaty_runtime.shop import Shop, group_of
from treaty_runtime.event import Context, Partition, Record
from treaty_runtime.handlers import Handlers
from treaty_runtime.hooks import Rebalanced
from treaty_runtime.kafka import KafkaProducer, KafkaSource
from treaty_runtime.kafka.config import consumer_config, producer_config
from treaty_runtime.kafka.fence import KafkaFence
from treaty_runtime.kafka.groups import _without_errors
from treaty_runtime.kafka.standing import Standing
from treaty_runtime.limits import Limits, Marks
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.testing.chaos import Chaos
from treaty_runtime.transport import Broken, Delivery, Outgoing, SourceEvent

P0 = Partition("orders", 0)


@pytest.fixture
def cluster() -> Iterator[Chaos]:
    with Chaos() as made:
        made.topic("bytes")
        yield made


@pytest.mark.long
async def test_a_partition_that_was_paused_when_it_left_is_read_when_it_comes_back(cluster: Chaos) -> None:
    """The client remembers the pause; whoever gets the partition anew knows of none, and nobody would ever resume it."""
    shop, handlers, may_go_on = Shop(cluster.bootstrap), Handlers(), asyncio.Event()
    seen: list[int] = []

    @handlers.raw("bytes")
    async def note(record: Record, _context: Context) -> None:
        await may_go_on.wait()
        seen.append(record.place.offset)

    limits = Limits(marks=Marks(high_records=4, low_records=2))
    async with shop.running(group_of(handlers, has_retry_topics=False, limits=limits)) as consumer:
        await eventually(lambda: shop.told(Rebalanced))
        await shop.send(*(Outgoing(topic="bytes", key=b"k%d" % number, value=b"v") for number in range(4)))
        await eventually(lambda: any(each.pauses for each in consumer.dispatch.assignments.values()))
        before = len(shop.told(Rebalanced))
        cluster.fail("Heartbeat", KafkaError.UNKNOWN_MEMBER_ID)
        await eventually(lambda: len(shop.told(Rebalanced)) >= before + 2)
        may_go_on.set()
        await shop.send(Outgoing(topic="bytes", key=b"k", value=b"v"))
        await eventually(lambda: seen and max(seen) == 4)
    await shop.producer.close()


class Client:
    """What a source asks of its consumer."""

    def __init__(self) -> None:
        self.paused: list[str] = []
        self.resumed: list[str] = []

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        self.paused += [f"{each.topic}/{each.partition}" for each in partitions]

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        self.resumed += [f"{each.topic}/{each.partition}" for each in partitions]

    def committed(self, partitions: list[TopicPartition], **_: object) -> list[TopicPartition]:
        return partitions


async def test_whatever_is_assigned_is_resumed_first() -> None:
    source, client = KafkaSource({}, topics=["orders"]), Client()
    source._on_assign(client, [TopicPartition(*P0)])
    source._on_assign(client, [])
    assert client.resumed == ["orders/0"]


async def test_a_pause_of_an_assignment_that_went_meanwhile_does_not_reach_the_next_one() -> None:
    source, client = KafkaSource({}, topics=["orders"]), Client()
    mine: list[Any] = [TopicPartition(*P0)]
    source._on_assign(client, mine)
    source._known_times.update([P0])  # as the loop hears of it
    source.pause([P0])
    source._commands.popleft()(client)
    assert client.paused == ["orders/0"]
    source.pause([P0])
    source._on_lost(client, mine)
    source._on_assign(client, mine)
    source._commands.popleft()(client)
    assert client.paused == ["orders/0"]


async def test_a_consumer_that_failed_for_good_says_so(cluster: Chaos) -> None:
    """The mark of a fatal error is never set on those that come as messages; the member stood for ever, and polled."""
    settings = KafkaSettings(
        brokers=cluster.bootstrap, group_instance_id="pod-0", extra={"consumer.heartbeat.interval.ms": 300}
    )
    source, seen = KafkaSource(consumer_config(settings, group="g"), topics=["bytes"]), list[SourceEvent]()

    async def follow() -> None:
        async for event in source.events():
            seen.append(event)

    following = asyncio.create_task(follow())
    await eventually(lambda: seen)
    cluster.fail("Heartbeat", KafkaError.FENCED_INSTANCE_ID)
    await eventually(following.done)
    (broken,) = [event for event in seen if isinstance(event, Broken)]
    assert broken.fault.name == "_FATAL"


async def test_statistics_that_are_no_json_hold_nothing_up(cluster: Chaos) -> None:
    settings = KafkaSettings(
        brokers=cluster.bootstrap, extra={"client.id": "DOMAIN\\orders", "statistics.interval.ms": 20}
    )
    producer, answers = (
        KafkaProducer(producer_config(settings, delivery_timeout=timedelta(seconds=60))),
        list[Delivery](),
    )
    for number in range(40):
        producer.produce(Outgoing(topic="bytes", key=b"k", value=b"%d" % number), answers.append)
        await asyncio.sleep(0.01)
    await eventually(lambda: len(answers) == 40)
    await producer.close()
    assert not Standing().is_stuck('{"client_id": "\\o"}', now=1.0, needs_partitions=False)


async def test_whatever_a_callback_raises_answers_are_asked_for_again(cluster: Chaos) -> None:
    class Failing(KafkaProducer):
        failures = 3

        def _measured(self, statistics: str) -> None:
            if self.failures:
                self.failures -= 1
                raise ZeroDivisionError
            super()._measured(statistics)

    told: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
    settings = KafkaSettings(brokers=cluster.bootstrap, extra={"statistics.interval.ms": 20})
    producer, answers = Failing(producer_config(settings, delivery_timeout=timedelta(seconds=60))), list[Delivery]()
    for number in range(40):
        producer.produce(Outgoing(topic="bytes", key=b"k", value=b"%d" % number), answers.append)
        await asyncio.sleep(0.01)
    await eventually(lambda: len(answers) == 40 and not producer.failures)
    await producer.close()
    assert [type(error) for error in told] == [ZeroDivisionError] * 3


async def test_a_lane_delivers_although_its_coordinator_takes_a_quarter_of_a_second(cluster: Chaos) -> None:
    """A note begins anew at each call: with the same short time for each, none would ever be taken."""
    fence, answers = KafkaFence(KafkaSettings(brokers=cluster.bootstrap), service="order"), list[Delivery]()

    async def held() -> dict[int, int]:
        return {0: 1}

    await fence.take({0: 1}, held=held)
    await fence.sent(0, ["bytes"])
    cluster.rtt(250)
    fence.producer(0).produce(Outgoing(topic="bytes", key=b"k", value=b"v", mark=b"0" * 16), answers.append)
    await eventually(lambda: answers)
    cluster.rtt(0)
    await fence.close()
    assert answers[0].fault is None


def test_a_place_that_could_not_be_looked_up_is_no_place() -> None:
    """In an election the answer is -1 with an error beside it; taken for "past the end", a reset would skip every record."""
    found, unknown = TopicPartition("t", 0, 7), TopicPartition("t", 1, -1)
    assert _without_errors([found]) == [found]
    broken: Any = type("Place", (), {"error": KafkaError(KafkaError.UNKNOWN_LEADER_EPOCH), "offset": unknown.offset})()
    with pytest.raises(KafkaException):
        _without_errors([found, broken])
