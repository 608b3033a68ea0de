"""The consumer on real parts: librdkafka against mock brokers, real threads, real cancellation."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.parts.waiting import eventually
from tests.treaty_runtime.order_events import OrderCreated, OrderSeen
from tests.treaty_runtime.shop import TOPIC, Seen, Shop, group_of, order, recording
from treaty_runtime.errors import Outage
from treaty_runtime.event import Context, Envelope, Partition, Record
from treaty_runtime.handlers import Handlers
from treaty_runtime.hooks import Failed, Skipped
from treaty_runtime.kafka import KafkaSource
from treaty_runtime.kafka.config import consumer_config
from treaty_runtime.transport import Outgoing, Position


async def test_published_events_reach_their_handler_in_key_order(shop: Shop) -> None:
    seen: list[tuple[str, int]] = []
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def note(event: OrderCreated, context: Context) -> None:
        await asyncio.sleep(0)
        seen.append((event.order_id, event.number))

    events = [order(number, f"o-{number % 7}") for number in range(700)]
    async with shop.running(group_of(handlers)):
        places = await shop.publisher.publish_many(events)
        await eventually(lambda: len(seen) == 700)
        await eventually(lambda: sum(shop.committed().values()) == 700)
    assert len(places) == 700
    for key in range(7):
        assert [number for order_id, number in seen if order_id == f"o-{key}"] == list(range(key, 700, 7))


async def test_one_record_of_a_key_at_a_time_and_no_more_than_the_workers(shop: Shop) -> None:
    running: dict[str, int] = {}
    most: list[int] = []
    together = asyncio.Event()
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def note(event: OrderCreated, context: Context) -> None:
        running[event.order_id] = running.get(event.order_id, 0) + 1
        assert running[event.order_id] == 1
        most.append(sum(running.values()))
        if most[-1] == 4:
            together.set()
        await together.wait()  # as many as there may be
        await asyncio.sleep(0)
        running[event.order_id] -= 1

    async with shop.running(group_of(handlers, workers=4)):
        await shop.publisher.publish_many(order(number, f"o-{number % 20}") for number in range(200))
        await eventually(lambda: len(most) == 200)
    assert max(most) == 4
    assert not shop.told(Failed)


async def test_a_slow_key_does_not_hold_up_the_others_but_holds_the_commit(shop: Shop) -> None:
    gate, seen = asyncio.Event(), []
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def note(event: OrderCreated, context: Context) -> None:
        if event.number == 0:
            await gate.wait()
        seen.append(event.number)

    async with shop.running(group_of(handlers)):
        first = await shop.publisher.publish(order(0, "slow"))
        for number in range(1, 50):
            await shop.publisher.publish(order(number, f"o-{number}"))
        await eventually(lambda: len(seen) == 49)
        partition = Partition(TOPIC, first.partition)
        await eventually(lambda: shop.committed().get(Partition(TOPIC, 1 - first.partition)))
        assert shop.committed().get(partition, 0) <= first.offset
        gate.set()
        await eventually(lambda: shop.committed().get(partition, 0) > first.offset)


async def test_tombstones_and_unhandled_classes_are_skipped_and_committed(shop: Shop) -> None:
    seen: Seen = []
    handlers = recording(seen)
    group = group_of(handlers, topics=(TOPIC, OrderSeen.__topic__))
    async with shop.running(group):
        await shop.send(Outgoing(topic=TOPIC, key=b"k", value=None))
        await shop.publisher.publish(OrderSeen(number=1))
        await shop.publisher.publish(order(1))
        await eventually(lambda: seen == [1])
        await eventually(lambda: {hook.reason for hook in shop.told(Skipped)} == {"tombstone", "no-handler"})
        await eventually(lambda: sum(shop.committed().values()) == 3)


async def test_any_gets_envelopes_of_classes_without_a_handler_and_raw_gets_bytes(shop: Shop) -> None:
    handlers = Handlers()
    envelopes: list[Envelope[Any]] = []
    records: list[Record] = []

    @handlers.any(OrderSeen.__topic__)
    async def audit(envelope: Envelope[Any], context: Context) -> None:
        envelopes.append(envelope)

    @handlers.raw("bytes")
    async def keep(record: Record, context: Context) -> None:
        records.append(record)

    async with shop.running(group_of(handlers)):
        sent = await shop.publisher.publish(OrderSeen(number=5))
        await shop.send(
            Outgoing(topic="bytes", key=b"k", value=b"anything"), Outgoing(topic="bytes", key=b"k", value=None)
        )
        await eventually(lambda: envelopes and len(records) == 2)
    (envelope,) = envelopes
    assert envelope.event == OrderSeen(number=5)
    assert (envelope.id, envelope.type, envelope.schema_id) == (sent.event_id, "order.seen", sent.schema_id)
    assert (envelope.correlation_id, envelope.causation_id, envelope.source) == (sent.event_id, None, "/mall/order")
    assert [record.value for record in records] == [b"anything", None]


async def test_stopping_waits_for_running_handlers_and_commits_only_what_is_done(shop: Shop) -> None:
    gate, begun, seen = asyncio.Event(), asyncio.Event(), []
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def note(event: OrderCreated, context: Context) -> None:
        begun.set()
        await gate.wait()
        seen.append(event.number)

    consumer = shop.consumer(group_of(handlers))
    task = asyncio.create_task(consumer.run())
    for number in range(3):
        await shop.publisher.publish(order(number))
    await begun.wait()
    stopping = asyncio.create_task(consumer.stop())
    await eventually(lambda: any(each.is_leaving for each in consumer.dispatch.assignments.values()))
    gate.set()
    await stopping
    await task
    assert seen == [0], "what had not begun does not begin"
    async with shop.running(group_of(handlers)):
        await eventually(lambda: seen == [0, 1, 2])


async def test_a_closed_source_refuses_a_commit(shop: Shop) -> None:
    source = KafkaSource(consumer_config(shop.settings, group="g"), topics=[TOPIC])

    async def follow() -> None:
        async for event in source.events():
            getattr(event, "done", lambda _: None)({})

    task = asyncio.create_task(follow())
    await eventually(lambda: source.poll_age_seconds < 1)
    await source.close()
    await task
    with pytest.raises(Outage, match="destroyed"):
        await source.commit({Partition(TOPIC, 0): Position(1)})
