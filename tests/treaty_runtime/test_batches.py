"""Batch handlers and shared transactions: gathered, handled once, split down to the record at fault, in order of each key."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from tests.parts.waiting import eventually
from tests.treaty_runtime.order_events import OrderCreated, OrderSeen, envelope_of
from tests.treaty_runtime.statements import counted
from treaty_runtime.consume.attempt import Attempt
from treaty_runtime.consume.batches import Batches, BatchJob
from treaty_runtime.consume.consumer import Consumer
from treaty_runtime.consume.reader import Reader
from treaty_runtime.errors import BatchFailed, InvalidSettings, Reject
from treaty_runtime.event import BatchContext, Context, Outcome, Place, Record
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.retry import RetryPolicy
from treaty_runtime.sql.inbox import Inbox
from treaty_runtime.testing import Harness, MemoryRegistry, VirtualClock
from treaty_runtime.transport.memory import MemoryBroker, MemoryProducer, MemorySource
from treaty_runtime.wire.serde import Serde

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
RECORD = Record(Place("orders", 0, 0), b"k", b"v")
Sessions = async_sessionmaker[AsyncSession]


def order(number: int, order_id: str | None = None) -> OrderCreated:
    return OrderCreated(order_id=order_id or f"o-{number}", number=number)


async def publish(harness: Harness, orders: list[OrderCreated]) -> None:
    """All are there before the first is handled."""
    await asyncio.gather(*map(harness.publish, orders))


class Desk:
    """Takes orders in batches of four and notes what it was called with."""

    def __init__(self, *, size: int = 4) -> None:
        self.handlers = Handlers()
        self.calls: list[list[int]] = []
        self.bad: set[int] = set()
        self.names_them = False

        async def take(events: Sequence[OrderCreated], context: BatchContext) -> None:
            self.calls.append([event.number for event in events])
            at_fault: dict[int, Exception] = {
                index: Reject("bad") for index, event in enumerate(events) if event.number in self.bad
            }
            if at_fault and self.names_them:
                raise BatchFailed(at_fault)
            if at_fault:
                raise ValueError("one of these is bad")
            for envelope in context.envelopes:
                context.of(envelope).stage(OrderSeen(number=envelope.event.number))

        self.handlers.batch(OrderCreated, size=size, within=timedelta(seconds=1))(take)


async def test_a_full_batch_is_handled_in_one_call_and_the_rest_after_its_time() -> None:
    desk = Desk()
    async with Harness(desk.handlers) as harness:
        await publish(harness, [order(number) for number in range(6)])
        await harness.settle()
        assert [len(call) for call in desk.calls] == [4]
        await harness.advance(seconds=1)
        assert [len(call) for call in desk.calls] == [4, 2]
        assert sorted(event.number for event in harness.published(OrderSeen)) == list(range(6))


async def test_a_batch_holds_one_event_of_a_key_and_waits_for_no_others_when_these_are_blocked() -> None:
    desk = Desk(size=100)
    async with Harness(desk.handlers) as harness:
        await publish(harness, [order(number, order_id=f"o-{number % 2}") for number in range(6)])
        await harness.settle()
        await harness.advance(seconds=1)
        flat = [number for call in desk.calls for number in call]
        assert max(map(len, desk.calls)) == 2
        assert [number for number in flat if number % 2 == 0] == [0, 2, 4]
        assert [number for number in flat if number % 2 == 1] == [1, 3, 5]


@pytest.mark.parametrize("size", [1, 4])
async def test_of_a_batch_that_waits_for_a_worker_those_are_handled_whose_partition_stays(size: int) -> None:
    handlers, began, seen, first, others = Handlers(), list[int](), list[int](), asyncio.Event(), asyncio.Event()

    @handlers.on(OrderCreated)
    async def take(event: OrderCreated, _context: Context) -> None:
        began.append(event.number)
        await (first if len(began) == 1 else others).wait()
        seen.append(event.number)

    async with Harness(handlers, workers=1, transaction_size=size, drain=timedelta(milliseconds=50)) as harness:
        await publish(harness, [order(0)])
        await eventually(lambda: began)
        await publish(harness, [order(number) for number in range(1, 13)])
        waiting = harness._members[0].consumer._workers._ready
        await eventually(lambda: len(waiting) == 12)
        first.set()
        await eventually(lambda: len(began) > 1)
        assert all(isinstance(job, BatchJob) == (size > 1) for job in waiting)
        moving = asyncio.create_task(harness.rebalance(members=2))  # a partition leaves, and its drain runs out
        await asyncio.wait({moving}, timeout=0.2)
        others.set()
        await moving
        await harness.advance(minutes=10)
    assert set(seen) == set(range(13))


def test_a_batch_failed_without_exceptions_is_told_where_it_is_made() -> None:
    """As texts they were neither: the event was committed, never handled and never dead-lettered."""
    with pytest.raises(TypeError, match="takes an exception for each record"):
        BatchFailed({2: "is wrong"})  # type: ignore[dict-item]  # the slip that is meant


async def test_a_batch_that_fails_is_halved_down_to_the_event_at_fault() -> None:
    desk = Desk()
    desk.bad = {2}
    async with Harness(desk.handlers) as harness:
        await publish(harness, [order(number) for number in range(4)])
        await harness.advance(minutes=5)
        assert sorted(event.number for event in harness.published(OrderSeen)) == [0, 1, 3]
        assert [letter.reason for letter in harness.dead_letters] == ["failed one of these is bad"]
        alone = [call for call in desk.calls if 2 in call and len(call) == 1]
        assert len(alone) == 4, "the schedule's attempts, none of which spoils another batch"


async def test_a_handler_that_names_the_events_at_fault_is_called_again_without_them() -> None:
    desk = Desk()
    desk.bad, desk.names_them = {1}, True
    async with Harness(desk.handlers) as harness:
        await publish(harness, [order(number) for number in range(4)])
        await harness.settle()
        assert [sorted(call) for call in desk.calls] == [[0, 1, 2, 3], [0, 2, 3]]
        assert [letter.reason for letter in harness.dead_letters] == ["rejected bad"]


async def test_an_outage_dead_letters_no_event_of_a_batch_and_splits_none() -> None:
    desk = Desk()
    async with Harness(desk.handlers) as harness:
        with harness.outage("database"):
            await publish(harness, [order(number) for number in range(4)])
            await harness.advance(minutes=2)
            assert desk.calls == []
        await harness.advance(minutes=2)
        assert sorted(number for call in desk.calls for number in call) == [0, 1, 2, 3]
        assert harness.dead_letters == []


def gathering(desk: Desk, jobs: list[BatchJob]) -> Batches:
    return Batches(
        None,
        group=Group("g", desk.handlers, dead_letter="dlq.g"),
        rules=(),
        clock=VirtualClock(NOW),
        submit=jobs.append,
        releasing=lambda call, _place: call,
        topic_of=lambda record: record.place.topic,
    )


def test_a_batch_that_takes_too_long_is_halved_and_one_event_that_does_has_failed() -> None:
    desk, jobs = Desk(), list[BatchJob]()
    batches = gathering(desk, jobs)
    (handler,) = desk.handlers.events.values()
    for number in range(4):
        attempt = Attempt(Place("orders", 0, number), 1, 1, RECORD)
        attempt.handler = handler
        batches.gather(attempt)
    (whole,) = jobs
    whole.is_overdue = True
    assert list(batches.ended(whole, asyncio.CancelledError())) == []
    assert [len(job.attempts) for job in jobs] == [4, 2, 2]
    single = BatchJob(whole.attempts[:1], is_overdue=True)
    ((attempt, became),) = batches.ended(single, asyncio.CancelledError())
    assert attempt.is_overdue
    assert isinstance(became, asyncio.CancelledError)


def test_attempts_of_a_partition_that_left_are_in_no_batch() -> None:
    desk, jobs = Desk(), list[BatchJob]()
    batches = gathering(desk, jobs)
    (handler,) = desk.handlers.events.values()
    for number in range(3):
        attempt = Attempt(Place("orders", number % 2, number), 1, 1, RECORD)
        attempt.handler = handler
        batches.gather(attempt)
    batches.forget(("orders", 0), 1, withdrawn=())
    batches.flush()
    assert [[each.place.partition for each in job.attempts] for job in jobs] == [[1]]


@pytest.fixture
async def effects(database: AsyncEngine) -> None:
    async with database.begin() as connection:
        await connection.execute(text("CREATE TABLE effect (event_id varchar(36))"))


async def note(context: BatchContext) -> None:
    for envelope in context.envelopes:
        await context.session.execute(text("INSERT INTO effect VALUES (:id)"), {"id": str(envelope.id)})


async def noted(sessions: Sessions) -> int:
    async with sessions() as session:
        return int(await session.scalar(text("SELECT count(*) FROM effect")) or 0)


@pytest.mark.usefixtures("effects")
async def test_a_batch_remembers_its_events_by_one_statement_and_skips_what_it_knows(
    database: AsyncEngine, sessions: Sessions
) -> None:
    inbox = Inbox(sessions)

    async def run(*numbers: int, handle: Any = note) -> list[Outcome]:
        envelopes = [envelope_of(number) for number in numbers]
        return await inbox.run_batch(envelopes, group="g", handle=handle, deadline=NOW)

    async def nothing(_context: BatchContext) -> None: ...

    assert await run(1, 2) == [Outcome.HANDLED] * 2
    assert await run(2, 3, 1, 3) == [Outcome.DUPLICATE, Outcome.HANDLED, Outcome.DUPLICATE, Outcome.DUPLICATE]
    assert await noted(sessions) == 3
    with counted(database) as statements:
        await run(*range(10, 210), handle=nothing)
    assert len(statements) == 1


@pytest.mark.usefixtures("effects")
async def test_a_batch_that_fails_leaves_nothing(sessions: Sessions) -> None:
    async def fail(context: BatchContext) -> None:
        await note(context)
        raise ZeroDivisionError

    inbox = Inbox(sessions)
    with pytest.raises(ZeroDivisionError):
        await inbox.run_batch([envelope_of(1), envelope_of(2)], group="g", handle=fail, deadline=NOW)
    assert await noted(sessions) == 0
    assert await inbox.run_batch([envelope_of(1)], group="g", handle=note, deadline=NOW) == [Outcome.HANDLED]


@pytest.mark.usefixtures("effects")
async def test_handlers_share_a_transaction_and_the_one_at_fault_takes_the_schedule_alone(
    database: AsyncEngine, sessions: Sessions
) -> None:
    handlers, attempts = Handlers(), []

    @handlers.on(OrderCreated)
    async def take(event: OrderCreated, context: Context) -> None:
        attempts.append((event.number, context.attempt))
        await context.session.execute(text("INSERT INTO effect VALUES (:id)"), {"id": str(event.number)})
        if event.number == 3:
            raise ValueError("never")

    async with Harness(handlers, sessions=sessions, retry=RetryPolicy(delays=("1s",)), transaction_size=50) as harness:
        with counted(database) as statements:
            await publish(harness, [order(number) for number in range(20)])
            await harness.settle()
        await harness.advance(seconds=30)
        assert await noted(sessions) == 19
        assert [letter.reason for letter in harness.dead_letters] == ["failed never"]
        assert max(number for _, number in attempts) == 2
    inboxes = [statement for statement in statements if "inbox" in statement]
    assert len(inboxes) < 20, "fewer than one a record"


@pytest.mark.usefixtures("effects")
@pytest.mark.parametrize("index", [0, 7], ids=["of another event", "of none"])
async def test_a_batchs_failure_that_a_handler_of_one_event_raises_is_that_events(
    sessions: Sessions, index: int
) -> None:
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def take(event: OrderCreated, context: Context) -> None:
        if event.number == 3:
            raise BatchFailed({index: Reject("bad")})
        await context.session.execute(text("INSERT INTO effect VALUES (:id)"), {"id": str(event.number)})

    async with Harness(handlers, sessions=sessions, retry=RetryPolicy(delays=("1s",)), transaction_size=4) as harness:
        await publish(harness, [order(number) for number in range(4)])
        await harness.advance(seconds=30)
        assert await noted(sessions) == 3
        (letter,) = harness.dead_letters
        assert letter.reason.endswith("take takes one event: BatchFailed is for handlers of batches.")
        assert letter.record.key == b"o-3"


@pytest.mark.parametrize("size", [0, 5_001])
def test_sizes_that_no_statement_could_hold_are_refused(size: int) -> None:
    handlers = Desk().handlers
    with pytest.raises(InvalidSettings, match="transaction_size"):
        Group("g", handlers, dead_letter="d", transaction_size=size)
    with pytest.raises(InvalidSettings, match="size of a batch"):
        Desk(size=size)


async def test_a_shared_transaction_needs_a_database() -> None:
    group = Group("g", Desk().handlers, dead_letter="d", transaction_size=2)
    serde = Serde(MemoryRegistry())
    broker = MemoryBroker()
    with pytest.raises(InvalidSettings, match="sessions="):
        Consumer(
            group,
            connect=lambda: MemorySource(broker, group="g", topics=group.subscription),
            reader=Reader(group, serde),
            producer=MemoryProducer(broker),
            random=lambda: 0.5,
        )
