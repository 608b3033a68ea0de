"""What headers tell of earlier hops counts on a group's own retry topics only: elsewhere others wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import pytest

from tests.treaty_runtime.order_events import OrderCreated
from treaty_avro import compile_encoder
from treaty_runtime.event import Context, Place, Record
from treaty_runtime.handlers import Handlers
from treaty_runtime.hooks import DeadLettered, Failed, Retried
from treaty_runtime.testing import Harness
from treaty_runtime.transport import Outgoing
from treaty_runtime.transport.memory import MemoryProducer
from treaty_runtime.wire import headers as names
from treaty_runtime.wire.deadletter import first_hop
from treaty_runtime.wire.serde import frame

TOPIC = OrderCreated.__topic__


def hop(prefix: str) -> tuple[tuple[str, bytes], ...]:
    """Headers of a hop that another group, or another program, wrote."""
    return (
        (prefix + names.ORIGINAL_TOPIC, b"elsewhere"),
        (prefix + names.ORIGINAL_PARTITION, names.int32(3)),
        (prefix + names.ORIGINAL_OFFSET, names.int64(77)),
        (names.ORIGINAL_GROUP, b"another"),
        (names.ATTEMPTS, names.int32(4)),
    )


async def send(harness: Harness, topic: str, value: bytes, headers: tuple[tuple[str, bytes], ...]) -> None:
    producer = MemoryProducer(harness.broker)
    producer.produce(Outgoing(topic=topic, key=b"o-1", value=value, headers=headers), lambda _: None)
    await producer.flush(timedelta(seconds=5))


async def order(harness: Harness) -> bytes:
    """A framed event, in the schema that the harness registered."""
    event = OrderCreated(order_id="o-1", number=1)
    schema_id = await harness.registry.id_of(OrderCreated)
    return frame(schema_id) + compile_encoder(OrderCreated)(event)


@pytest.mark.parametrize("prefix", [names.RETRY_PREFIX, names.DEAD_LETTER_PREFIX])
async def test_a_foreign_hop_neither_leads_a_retry_astray_nor_changes_the_event_s_id(prefix: str) -> None:
    handlers, seen = Handlers(), list[tuple[int, UUID, Place]]()

    @handlers.on(OrderCreated)
    async def take(_event: OrderCreated, context: Context) -> None:
        seen.append((context.attempt, context.envelope.id, context.envelope.origin))
        if context.attempt < 3:
            raise LookupError

    async with Harness(handlers) as harness:
        await send(harness, TOPIC, await order(harness), hop(prefix))
        await harness.advance(minutes=5)
        assert harness.dead_letters == []
    assert [attempt for attempt, _, _ in seen] == [1, 2, 3]
    assert len({event_id for _, event_id, _ in seen}) == 1
    assert {origin.topic for _, _, origin in seen} == {TOPIC}


async def test_a_dead_letter_names_the_group_that_gave_up_and_where_that_read_it() -> None:
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def take(_event: OrderCreated, _context: Context) -> None:
        raise LookupError

    async with Harness(handlers) as harness:
        await send(harness, TOPIC, await order(harness), hop(names.DEAD_LETTER_PREFIX))
        await harness.advance(minutes=5)
        (letter,) = harness.dead_letters
        told: Mapping[str, bytes] = names.first_values(letter.record.headers)
        assert (letter.origin.topic, told[names.ORIGINAL_GROUP]) == (TOPIC, harness.group.name.encode())


async def test_observers_hear_which_event_failed_and_of_which_trace() -> None:
    handlers, told = Handlers(), list[object]()

    @handlers.on(OrderCreated)
    async def take(_event: OrderCreated, _context: Context) -> None:
        raise LookupError

    own = ((names.ID, str(UUID(int=7)).encode()), ("traceparent", f"00-{'ab' * 16}-{'cd' * 8}-01".encode()))
    async with Harness(handlers, observers=(told.append,)) as harness:
        await send(harness, TOPIC, await order(harness), own)
        await harness.advance(minutes=5)
    failed = [hook for hook in told if isinstance(hook, Failed | Retried | DeadLettered)]
    assert {type(hook) for hook in failed} == {Failed, Retried, DeadLettered}
    assert {(hook.event_id, hook.trace_id) for hook in failed} == {(UUID(int=7), "ab" * 16)}


async def test_who_reads_dead_letters_gets_them_again_when_it_failed() -> None:
    handlers, seen = Handlers(), list[tuple[int, bytes | None]]()

    @handlers.raw("dlq.payment")
    async def bury(record: Record, context: Context) -> None:
        seen.append((context.attempt, record.value))
        if context.attempt < 3:
            raise LookupError

    async with Harness(handlers) as harness:
        await send(harness, "dlq.payment", b"bytes", hop(names.DEAD_LETTER_PREFIX))
        await harness.advance(minutes=5)
        assert harness.dead_letters == []
    assert seen == [(attempt, b"bytes") for attempt in (1, 2, 3)]


def test_a_first_hop_keeps_what_is_the_events_own() -> None:
    own = ((names.ID, b"1"), ("x", b"y"))
    place = Place(TOPIC, 0, 1)
    assert first_hop(Record(place, b"k", b"v", (*hop(names.RETRY_PREFIX), *own), 5)).headers == own
    untouched = Record(place, b"k", b"v", own, 5)
    assert first_hop(untouched) is untouched
