"""A lane against librdkafka's own mock broker: what is refused, full or away is answered, and never keeps anybody waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition

from tests.treaty_runtime.relaying import until
from treaty_runtime.errors import Outage
from treaty_runtime.kafka import KafkaFence, lane
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.testing.chaos import Chaos
from treaty_runtime.transport import MARK_BYTES, Delivery, FaultKind, Outgoing

LANE = 3
TOPIC = "orders"
NEVER = 3_600.0
"""Patience that outlasts the test: what would wait for its end hangs."""


@pytest.fixture(scope="module")
def brokers() -> Iterator[str]:
    """Address of a mock broker that has the topic."""
    client = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "mock", "log_level": 0})
    client.produce(TOPIC, b"first")
    client.flush(10)
    yield ",".join(f"{each.host}:{each.port}" for each in client.list_topics(timeout=10).brokers.values())
    client.flush(0)  # the mock lives as long as its client


async def test_a_record_that_the_client_refuses_goes_alone_and_its_neighbours_travel_again(brokers: str) -> None:
    fence = await _taken(brokers)
    too_large = _record(2, size=(1 << 20) + (80 << 10))
    assert await _send(fence, _record(1), too_large, _record(3)) == [
        FaultKind.AGAIN,
        FaultKind.REFUSED,
        FaultKind.AGAIN,
    ]
    assert fence.untaken({LANE: 1}) == frozenset()
    assert await _send(fence, _record(1), _record(3)) == [None, None]
    await fence.close()


async def test_a_full_queue_is_waited_for(brokers: str) -> None:
    fence = await _taken(brokers, **{"queue.buffering.max.kbytes": 1024})
    assert await _send(fence, *(_record(number, size=300_000) for number in range(8))) == [None] * 8
    await fence.close()


async def test_a_record_that_no_queue_can_hold_is_an_outage_and_the_lane_is_taken_anew(
    brokers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fence = await _taken(brokers, **{"queue.buffering.max.messages": 1, "queue.buffering.max.kbytes": 1})
    await fence.sent(LANE, [TOPIC])  # with all the patience there is
    monkeypatch.setattr(lane, "PATIENCE_SECONDS", 0.5)
    assert await _send(fence, _record(1, size=4_000), _record(2)) == [FaultKind.OUTAGE] * 2
    assert fence.untaken({LANE: 1}) == {LANE}
    await fence.close()


async def test_a_fence_that_cannot_reach_the_broker_ends_in_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "PATIENCE_SECONDS", NEVER)
    fence = KafkaFence(KafkaSettings(brokers="127.0.0.1:9"), service="orders")
    epochs = dict.fromkeys(range(16), 1)
    taking = asyncio.create_task(fence.take(epochs, held=partial(_held, epochs)))
    await until(lambda: len(fence._threads._threads) == len(epochs))  # each has begun to insist
    taking.cancel()
    await asyncio.wait({taking})
    await fence.close()
    await asyncio.to_thread(fence._threads.shutdown)  # what the end of the process waits for


async def test_a_lane_that_asks_for_its_marks_ends_in_a_moment_when_the_broker_has_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Reader(Consumer):
        def committed(self, *places: Any, **options: Any) -> list[TopicPartition]:
            loop.call_soon_threadsafe(asked.set)
            told: list[TopicPartition] = super().committed(*places, **options)
            return told

    monkeypatch.setattr(lane, "Consumer", Reader)
    monkeypatch.setattr(lane, "PATIENCE_SECONDS", NEVER)
    with Chaos() as chaos:
        fence = await _taken(chaos.bootstrap)
        with chaos.down(broker=1):
            asking = asyncio.create_task(fence.sent(LANE, [TOPIC]))
            await asked.wait()
            await fence.close()
            with pytest.raises(Outage):
                await asking
            await asyncio.to_thread(fence._threads.shutdown)  # what the end of the process waits for


@pytest.mark.parametrize("code", [KafkaError.NOT_COORDINATOR, KafkaError.TOPIC_AUTHORIZATION_FAILED])
async def test_marks_that_cannot_be_read_are_an_outage_unless_their_topic_is_held(
    brokers: str, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    class Reader:
        def __init__(self, _: Mapping[str, Any]) -> None:
            """Takes any configuration."""

        def consumer_group_metadata(self) -> None:
            """A group of nobody."""

        def committed(self, places: Collection[TopicPartition], **_: float) -> list[Any]:
            return [_Failed(place.topic, KafkaError(code)) for place in places]

        def close(self) -> None:
            """Nothing to end."""

    fence = await _taken(brokers)
    monkeypatch.setattr(lane, "Consumer", Reader)
    if code == KafkaError.TOPIC_AUTHORIZATION_FAILED:
        assert await fence.sent(LANE, [TOPIC]) == set()
    else:
        with pytest.raises(Outage):
            await fence.sent(LANE, [TOPIC])
    await fence.close()


class _Failed:
    """What `committed` answers for a partition whose offset the broker does not tell."""

    metadata, offset = None, -1001

    def __init__(self, topic: str, error: KafkaError) -> None:
        self.topic, self.error = topic, error


async def _held(epochs: Mapping[int, int]) -> Mapping[int, int]:
    return epochs


async def _taken(brokers: str, **extra: Any) -> KafkaFence:
    fence = KafkaFence(
        KafkaSettings(brokers=brokers, extra={f"producer.{k}": v for k, v in extra.items()}), service="o"
    )
    await fence.take({LANE: 1}, held=partial(_held, {LANE: 1}))
    return fence


async def _send(fence: KafkaFence, *records: Outgoing) -> list[FaultKind | None]:
    await fence.sent(LANE, [TOPIC])
    answers: list[asyncio.Future[Delivery]] = [asyncio.get_running_loop().create_future() for _ in records]
    for record, answer in zip(records, answers, strict=True):
        fence.producer(LANE).produce(record, partial(asyncio.Future.set_result, answer))
    told = await asyncio.gather(*answers)
    return [None if each.fault is None else each.fault.kind for each in told]


def _record(number: int, *, size: int = 1) -> Outgoing:
    return Outgoing(topic=TOPIC, key=b"%d" % number, value=b"v" * size, mark=number.to_bytes(MARK_BYTES, "big"))
