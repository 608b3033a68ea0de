"""The harness runs handlers as production does, in virtual time."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from tests.treaty_runtime.order_events import OrderCreated, OrderSeen
from treaty_runtime.errors import Reject, Retry
from treaty_runtime.event import Context, Place
from treaty_runtime.handlers import Handlers
from treaty_runtime.hooks import Throttled
from treaty_runtime.job import Job
from treaty_runtime.retry import RetryPolicy
from treaty_runtime.testing import Harness
from treaty_runtime.transport import Fault, FaultKind


class Shop:
    """A service that notes each order and tells that it saw it."""

    def __init__(self, *, on_failure: str = "skip") -> None:
        self.handlers = Handlers()
        self.seen: list[tuple[int, int]] = []

        async def note(event: OrderCreated, context: Context) -> None:
            self.seen.append((event.number, context.attempt))
            if event.number < 0:
                raise Reject("orders are counted from zero")
            context.stage(OrderSeen(number=event.number))

        self.handlers.on(OrderCreated, on_failure="block" if on_failure == "block" else "skip")(note)

    @property
    def numbers(self) -> list[int]:
        return [number for number, _ in self.seen]


def order(number: int, order_id: str = "o-1") -> OrderCreated:
    return OrderCreated(order_id=order_id, number=number)


async def test_published_events_are_handled_and_what_handlers_stage_is_published() -> None:
    shop = Shop()
    async with Harness(shop.handlers) as harness:
        for number in range(3):
            await harness.publish(order(number))
        await harness.settle()
        assert shop.numbers == [0, 1, 2]
        assert sorted(event.number for event in harness.published(OrderSeen)) == [0, 1, 2]
        assert harness.dead_letters == []


async def test_what_a_failed_attempt_staged_is_not_published() -> None:
    shop = Shop()
    async with Harness(shop.handlers) as harness:
        harness.fail(OrderCreated, times=1)
        await harness.publish(order(1))
        await harness.settle()
        assert harness.published(OrderSeen) == []
        await harness.advance(seconds=2)
        assert shop.seen == [(1, 2)]
        assert harness.published(OrderSeen) == [OrderSeen(number=1)]


async def test_a_failing_record_goes_through_the_retry_topics_and_then_is_dead_lettered() -> None:
    shop = Shop()
    async with Harness(shop.handlers) as harness:
        harness.fail(OrderCreated, times=4, error=ValueError("no stock for test@example.com"))
        published = await harness.publish(order(1))
        await harness.advance(seconds=2)
        assert len(harness.broker.records("retry.harness.10s")) == 1
        await harness.advance(seconds=13)
        assert len(harness.broker.records("retry.harness.60s")) == 1
        assert harness.dead_letters == []
        await harness.advance(seconds=75)
        (letter,) = harness.dead_letters
        assert letter.reason == "failed no stock for •••"
        assert letter.error_class == "builtins.ValueError"
        assert letter.origin == Place(published.topic, published.partition, published.offset)
        assert shop.seen == []


@pytest.mark.parametrize("minutes", [0.01, 0.05, 0.5, 5, 500])
async def test_an_event_whose_handler_asks_for_a_later_attempt_is_handled_then(minutes: float) -> None:
    shop = Shop()
    async with Harness(shop.handlers) as harness:
        harness.fail(OrderCreated, times=2, error=Retry(after=timedelta(minutes=minutes)))
        await harness.publish(order(1))
        await harness.advance(seconds=2 * 60 * minutes - 1)
        assert shop.seen == []
        await harness.advance(seconds=2 * 60 * minutes * 0.2 + 3)
        assert shop.seen == [(1, 3)]
        assert harness.dead_letters == []


async def test_a_handler_whose_own_task_is_cancelled_has_failed_and_is_not_forgotten() -> None:
    handlers, attempts = Handlers(), []

    @handlers.on(OrderCreated)
    async def lose_a_task(_event: OrderCreated, context: Context) -> None:
        attempts.append(context.attempt)
        task = asyncio.ensure_future(asyncio.sleep(0))
        task.cancel()
        await task

    async with Harness(handlers) as harness:
        await harness.publish(order(1))
        await harness.advance(minutes=5)
        assert attempts == [1, 2, 3, 4]
        assert [letter.error_class for letter in harness.dead_letters] == ["treaty_runtime.errors.HandlerCancelled"]


async def test_a_handler_that_breaks_without_an_exception_has_failed_and_its_neighbours_go_on() -> None:
    class PanicException(BaseException):
        """As extensions in Rust raise it."""

    handlers, seen = Handlers(), []

    @handlers.on(OrderCreated)
    async def panic(event: OrderCreated, _context: Context) -> None:
        if event.number == 1:
            raise PanicException("called unwrap on None")
        seen.append(event.number)

    async with Harness(handlers) as harness:
        for number in range(4):
            await harness.publish(order(number))
        await harness.advance(minutes=5)
        assert seen == [0, 2, 3]
        assert [letter.error_class for letter in harness.dead_letters] == ["treaty_runtime.errors.HandlerBroke"]


async def test_a_retried_record_is_never_early() -> None:
    shop = Shop()
    async with Harness(shop.handlers) as harness:
        harness.fail(OrderCreated, times=2)
        await harness.publish(order(1))
        await harness.advance(seconds=1)
        before = harness.clock.now()
        while not shop.seen:
            await harness.advance(milliseconds=100)
        assert harness.clock.now() - before >= timedelta(seconds=10)
        assert shop.seen == [(1, 3)]


async def test_poison_is_dead_lettered_at_once_and_its_neighbours_go_on() -> None:
    shop = Shop()
    async with Harness(shop.handlers) as harness:
        for number in (1, -1, 2):
            await harness.publish(order(number))
        await harness.settle()
        assert shop.numbers == [1, -1, 2]
        assert [letter.reason for letter in harness.dead_letters] == ["rejected orders are counted from zero"]


async def test_a_skipping_handler_lets_later_records_of_the_key_pass_and_a_blocking_one_does_not() -> None:
    for on_failure, expected in (("skip", [2, 1]), ("block", [1, 2])):
        shop = Shop(on_failure=on_failure)
        async with Harness(shop.handlers) as harness:
            harness.fail(OrderCreated, times=2)
            await harness.publish(order(1))
            await harness.advance(seconds=2)
            await harness.publish(order(2))
            await harness.advance(seconds=30)
            assert shop.numbers == expected


async def test_an_outage_dead_letters_nothing_and_everything_is_handled_once_it_ends() -> None:
    shop = Shop()
    async with Harness(shop.handlers) as harness:
        with harness.outage("database"):
            for number in range(20):
                await harness.publish(order(number, f"o-{number}"))
            await harness.advance(hours=2)
            assert shop.seen == []
        await harness.advance(minutes=1)
        assert sorted(shop.seen) == [(number, 1) for number in range(20)]
        assert harness.dead_letters == []


async def test_an_outage_within_another_ends_alone() -> None:
    shop = Shop()
    async with Harness(shop.handlers) as harness:
        await harness.publish(order(1))
        with harness.outage("database"):
            with harness.outage("kafka"), harness.outage("redis"):
                await harness.advance(minutes=1)
            assert not harness.broker.is_down
            await harness.advance(minutes=10)
            assert shop.seen == []
        await harness.advance(minutes=1)
        assert shop.seen == [(1, 1)]


async def test_without_the_registry_records_wait_and_are_not_poison() -> None:
    shop = Shop()
    async with Harness(shop.handlers) as harness:
        await harness.publish(order(1))
        with harness.outage("registry"):
            await harness.advance(minutes=10)
            assert shop.seen == []
        await harness.advance(minutes=1)
        assert shop.seen == [(1, 1)]
        assert harness.dead_letters == []


async def test_a_dead_letter_that_kafka_does_not_take_holds_the_commit_until_it_does() -> None:
    shop = Shop()
    async with Harness(shop.handlers) as harness:
        published = await harness.publish(order(-1))
        with harness.outage("kafka"):
            await harness.advance(minutes=5)
            assert harness.dead_letters == []
            assert harness.broker.committed("harness") == {}
        await harness.advance(minutes=1)
        assert len(harness.dead_letters) == 1
        positions = harness.broker.committed("harness")
        assert {position.offset for position in positions.values()} == {published.offset + 1}


async def test_a_missing_dead_letter_topic_holds_the_commit_although_kafka_takes_commits() -> None:
    shop = Shop()
    async with Harness(shop.handlers) as harness:
        missing = Fault("UNKNOWN_TOPIC_OR_PART", "no such topic", FaultKind.HELD)
        harness.broker.refusals["dlq.harness"] = missing
        published = await harness.publish(order(-1))
        await harness.advance(minutes=5)
        assert all(each.offset <= published.offset for each in harness.broker.committed("harness").values())
        del harness.broker.refusals["dlq.harness"]
        await harness.advance(minutes=1)
        assert len(harness.dead_letters) == 1
        positions = harness.broker.committed("harness")
        assert {position.offset for position in positions.values()} == {published.offset + 1}


async def test_after_a_crash_uncommitted_records_are_seen_again_and_effects_happen_once() -> None:
    shop = Shop()
    async with Harness(shop.handlers) as harness:
        await harness.publish(order(1))
        await harness.settle()
        await harness.crash()
        await harness.advance(seconds=5)
        assert shop.numbers == [1]
        assert harness.published(OrderSeen) == [OrderSeen(number=1)]


async def test_members_share_the_partitions_and_lose_nothing_when_they_come_and_go() -> None:
    shop = Shop()
    async with Harness(shop.handlers) as harness:
        for number in range(30):
            await harness.publish(order(number, f"o-{number}"))
            if number == 10:
                await harness.rebalance(members=3)
            if number == 20:
                await harness.rebalance(members=1)
        await harness.advance(seconds=2)
        assert sorted(shop.numbers) == list(range(30))
        committed = harness.broker.committed("harness")
        assert (
            sum(position.offset for partition, position in committed.items() if partition.topic == "order-events") == 30
        )


async def test_jobs_of_a_handler_are_remembered_only_if_it_succeeds() -> None:
    handlers = Handlers()

    @handlers.on(OrderCreated)
    async def remind(event: OrderCreated, context: Context) -> None:
        context.schedule(Job(queue="reminder", id=str(event.number), due=context.deadline))
        if event.number == 2:
            raise Reject("no")

    async with Harness(handlers) as harness:
        await harness.publish(order(1))
        await harness.publish(order(2))
        await harness.settle()
        assert [job.id for job in harness.jobs] == ["1"]


async def test_handlers_get_real_sessions_with_the_real_inbox_and_outbox(
    sessions: async_sessionmaker[AsyncSession],
) -> None:
    handlers = Handlers()

    async with sessions.begin() as session:
        await session.execute(text("CREATE TABLE noted (number integer)"))

    @handlers.on(OrderCreated)
    async def note(event: OrderCreated, context: Context) -> None:
        await context.session.execute(text("INSERT INTO noted VALUES (:number)"), {"number": event.number})
        context.stage(OrderSeen(number=event.number))

    async with Harness(handlers, sessions=sessions) as harness:
        for number in range(3):
            await harness.publish(order(number))
        await harness.settle()
        await harness.crash()
        await harness.settle()
        assert sorted(event.number for event in harness.published(OrderSeen)) == [0, 1, 2]
    async with sessions() as session:
        noted = (await session.execute(text("SELECT number FROM noted ORDER BY number"))).scalars().all()
    assert list(noted) == [0, 1, 2]


async def test_a_handler_that_is_broken_does_not_empty_the_topic_into_dead_letters() -> None:
    shop, hooks = Shop(), list[object]()
    policy = RetryPolicy(delays=(), throttle_after=5)
    async with Harness(shop.handlers, retry=policy, observers=(hooks.append,)) as harness:
        harness.fail(OrderCreated, times=8)
        for number in range(40):
            await harness.publish(order(number, order_id=f"o-{number}"))
        await harness.settle()
        assert len(harness.dead_letters) <= 7, "those that had begun"
        await harness.advance(seconds=10)
        assert len(harness.dead_letters) == 8
        assert len(shop.seen) == 32
        assert [hook.is_on for hook in hooks if isinstance(hook, Throttled)] == [True, False]
