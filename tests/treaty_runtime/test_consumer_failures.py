"""What goes wrong in a consumer, on real parts: poison, handlers that fail or hang, outages, commits that are not taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from tests.parts.waiting import eventually
from tests.treaty_runtime.order_events import OrderCreated, OrderSeen
from tests.treaty_runtime.shop import TOPIC, Seen, Shop, group_of, order, recording
from treaty_runtime.clock import SystemClock
from treaty_runtime.event import Context, Partition
from treaty_runtime.handlers import Handlers
from treaty_runtime.hooks import CommitFailed, DeadLettered, Failed, Handled, OutageBegan, Recovered
from treaty_runtime.kafka.groups import Groups
from treaty_runtime.testing.chaos import Chaos
from treaty_runtime.transport import Outgoing
from treaty_runtime.wire import headers as names
from treaty_runtime.wire.deadletter import size_of_headers
from treaty_runtime.wire.serde import frame


async def test_junk_is_dead_lettered_byte_for_byte_and_its_neighbours_are_handled(shop: Shop) -> None:
    seen: Seen = []
    junk = [b"invalid", b"", b"\x01\x00\x00\x00\x01x", frame(4711) + b"x", frame(shop.ids[OrderCreated]) + b"\xff"]
    async with shop.running(group_of(recording(seen))):
        await shop.publisher.publish(order(1))
        await shop.send(*(Outgoing(topic=TOPIC, key=b"o-1", value=value) for value in junk))
        await shop.publisher.publish(order(2))
        await eventually(lambda: seen == [1, 2])
        letters = await shop.read("dlq.order", len(junk))
    assert sorted(letter.value or b"" for letter in letters) == sorted(junk)
    for letter in letters:
        told = names.first_values(letter.headers)
        assert told[names.REASON].startswith(b"undecodable")
        assert told["kafka_dlt-original-topic"] == TOPIC.encode()
        assert letter.key == b"o-1"


async def test_a_writer_schema_of_another_topic_is_not_allowed(shop: Shop) -> None:
    seen: Seen = []
    async with shop.running(group_of(recording(seen))):
        await shop.send(Outgoing(topic=TOPIC, key=b"k", value=frame(shop.ids[OrderSeen]) + b"\x02"))
        (letter,) = await shop.read("dlq.order", 1)
    reason = names.first_values(letter.headers)[names.REASON]
    assert reason == f"not-allowed Writer schema {shop.ids[OrderSeen]} is not allowed on {TOPIC}.".encode()


async def test_an_oversized_record_becomes_a_pointer(shop: Shop) -> None:
    shop.serde.max_record_bytes = 1000
    seen: Seen = []
    async with shop.running(group_of(recording(seen))):
        (sent,) = await shop.send(Outgoing(topic=TOPIC, key=b"k", value=b"\x00" * 2000))
        (letter,) = await shop.read("dlq.order", 1)
    told = names.first_values(letter.headers)
    assert letter.value == b""
    assert told[names.REASON].startswith(b"oversize 2000 bytes")
    assert sent.place is not None
    assert names.origin_of(letter.place, told) == sent.place


@pytest.mark.parametrize("name", ["x", "kafka_original-topic", names.FIRST_TIMESTAMP])
async def test_a_header_that_leaves_no_room_for_ours_stops_no_group(shop: Shop, name: str) -> None:
    """The source took the record; what a copy adds to it is beyond what the client sends."""
    seen: Seen = []
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def fail_for_one(event: OrderCreated, context: Context) -> None:
        if event.number == 1:
            raise ValueError("never")
        seen.append(event.number)

    async with shop.running(group_of(handlers)):
        for value in (b"invalid", frame(shop.ids[OrderCreated]) + b"\x06o-1\x02"):
            sent = await shop.send(Outgoing(topic=TOPIC, key=b"o-1", value=value, headers=((name, bytes(1_113_500)),)))
            assert sent[0].place is not None
        await shop.publisher.publish(order(2))
        await eventually(lambda: seen == [2])
        letters = await shop.read("dlq.order", 2)
    for letter in letters:
        told = names.first_values(letter.headers)
        assert size_of_headers(letter.headers) < 4_096
        assert names.origin_of(letter.place, told).topic == TOPIC
    assert not shop.told(OutageBegan)


async def test_a_failing_record_takes_the_retry_topic_and_ends_in_the_dead_letters(shop: Shop) -> None:
    attempts: list[int] = []
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def fail(event: OrderCreated, context: Context) -> None:
        attempts.append(context.attempt)
        raise ValueError("never")

    async with shop.running(group_of(handlers)):
        sent = await shop.publisher.publish(order(1))
        (letter,) = await shop.read("dlq.order", 1)
        await eventually(lambda: shop.committed().get(Partition(TOPIC, sent.partition)) == sent.offset + 1)
    told = names.first_values(letter.headers)
    assert attempts == [1, 2, 3]
    assert told[names.ID] == str(sent.event_id).encode()
    assert told["kafka_dlt-exception-fqcn"] == b"builtins.ValueError"
    assert told[names.HANDLER].endswith(b"fail")
    assert names.attempt_of(told) == 3
    assert [hook.reason for hook in shop.told(DeadLettered)] == ["failed"]


@pytest.mark.parametrize("text", ["half a pair: \ud800", "x" * 3_000_000], ids=["no text", "huge"])
async def test_whatever_an_exception_says_its_record_is_dead_lettered_and_its_neighbours_are_handled(
    shop: Shop, text: str
) -> None:
    handlers, seen = Handlers(), list[int]()

    @handlers.on(OrderCreated)
    async def fail_for_one(event: OrderCreated, context: Context) -> None:
        if event.number == 1:
            raise ValueError(text)
        seen.append(event.number)

    async with shop.running(group_of(handlers)):
        for number in (1, 2):
            await shop.publisher.publish(order(number))
        (letter,) = await shop.read("dlq.order", 1)
        await eventually(lambda: seen == [2])
    assert names.first_values(letter.headers)["kafka_dlt-exception-message"].startswith(text[:10].encode())


async def test_a_handler_that_takes_too_long_is_cancelled_and_counts_as_failed(shop: Shop) -> None:
    handlers, attempts = Handlers(), []

    @handlers.on(OrderCreated, timeout=timedelta(milliseconds=50))
    async def sleep(event: OrderCreated, context: Context) -> None:
        attempts.append(context.attempt)
        if context.attempt == 1:
            await asyncio.Event().wait()

    async with shop.running(group_of(handlers)):
        await shop.publisher.publish(order(1))
        await eventually(lambda: attempts == [1, 2])
        await eventually(lambda: shop.told(Handled))
    assert [type(hook.error).__name__ for hook in shop.told(Failed)] == ["HandlerTimeout"]


async def test_a_handler_that_does_not_end_is_cancelled_when_its_time_is_over(shop: Shop) -> None:
    begun, ended = asyncio.Event(), []
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def hang(event: OrderCreated, context: Context) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(event.number)

    async with shop.running(group_of(handlers, drain=timedelta(milliseconds=100))):
        await shop.publisher.publish(order(1))
        await begun.wait()
    assert ended == [1]
    assert sum(shop.committed().values()) == 0


async def test_an_outage_pauses_and_ends_with_the_probe(shop: Shop) -> None:
    handlers, seen = Handlers(), []
    away = True

    @handlers.on(OrderCreated)
    async def note(event: OrderCreated, context: Context) -> None:
        if away:
            raise ConnectionError("refused")
        seen.append((event.number, context.attempt))

    async with shop.running(group_of(handlers, outages=(ConnectionError,))):
        await shop.publisher.publish_many(order(number, f"o-{number}") for number in range(50))
        await eventually(lambda: shop.told(OutageBegan))
        away = False
        await eventually(lambda: len(seen) == 50)
    assert {attempt for _, attempt in seen} == {1}
    assert len(shop.told(Recovered)) == 1
    assert not shop.told(DeadLettered)


async def test_a_commit_that_fails_is_made_up_for_by_the_next(chaos: Chaos, shop: Shop) -> None:
    seen: Seen = []
    async with shop.running(group_of(recording(seen))):
        await shop.publisher.publish(order(1))
        await eventually(lambda: seen == [1])
        await eventually(lambda: sum(shop.committed().values()) == 1)
        chaos.fail("OffsetCommit", 22)  # ILLEGAL_GENERATION
        await shop.publisher.publish(order(2))
        await eventually(lambda: sum(shop.committed().values()) == 2)
        assert len(shop.told(CommitFailed)) == 1
    assert seen[:2] == [1, 2]


class Timeless(SystemClock):
    """Nothing comes due: no tick commits, so that a member's last commit is the only one."""

    def call_at(self, when: datetime, call: Callable[[], None]) -> Callable[[], None]:  # noqa: ARG002  # as the clock's
        return lambda: None


async def test_the_last_commit_of_a_member_is_asked_again_while_others_come_and_go(chaos: Chaos, shop: Shop) -> None:
    seen: Seen = []
    async with shop.running(group_of(recording(seen)), clock=Timeless()) as consumer:
        await shop.publisher.publish_many([order(1), order(2)])
        await eventually(lambda: seen == [1, 2] and consumer.is_idle)
        partitions = [Partition(*partition) for partition in consumer.dispatch.assignments]
        chaos.fail("OffsetCommit", 27, 22)  # REBALANCE_IN_PROGRESS, ILLEGAL_GENERATION
    committed = await asyncio.to_thread(Groups(chaos.bootstrap).committed, "order", partitions)
    assert sum(committed.values()) == 2
