"""Transactions that lose against others: run again at once, and a failure once they lose each time. Neighbours go on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from psycopg.errors import AdminShutdown, DeadlockDetected, LockNotAvailable
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from tests.treaty_runtime.order_events import OrderCreated
from treaty_runtime.errors import BatchFailed, Conflict
from treaty_runtime.event import BatchContext, Context
from treaty_runtime.handlers import Handlers
from treaty_runtime.retry import RetryPolicy
from treaty_runtime.testing import Harness

Sessions = async_sessionmaker[AsyncSession]
POLICY = RetryPolicy(delays=("1s",))


def lost() -> OperationalError:
    """As the database's driver tells a lost deadlock."""
    return OperationalError("UPDATE", {}, DeadlockDetected("deadlock detected"))


def lose() -> None:
    raise lost()


@pytest.mark.parametrize(("losses", "attempts"), [(5, [1] * 6), (6, [1] * 6 + [2])], ids=["wins at last", "fails once"])
async def test_what_loses_runs_again_at_once_and_counts_as_an_attempt_after_five_more(
    sessions: Sessions, losses: int, attempts: list[int]
) -> None:
    handlers, seen = Handlers(), list[int]()

    @handlers.on(OrderCreated)
    async def take(_event: OrderCreated, context: Context) -> None:
        seen.append(context.attempt)
        if len(seen) <= losses:
            lose()

    async with Harness(handlers, sessions=sessions, retry=POLICY) as harness:
        await harness.publish(OrderCreated(order_id="o-1", number=1))
        await harness.settle()
        assert seen == [1] * 6
        await harness.advance(seconds=2)
    assert seen == attempts
    assert harness.dead_letters == []


async def test_what_loses_each_time_is_dead_lettered_and_keeps_nobody_up(sessions: Sessions) -> None:
    handlers, seen = Handlers(), list[int]()

    @handlers.on(OrderCreated)
    async def take(event: OrderCreated, _context: Context) -> None:
        seen.append(event.number)
        if event.number == 1:
            lose()

    async with Harness(handlers, sessions=sessions, retry=POLICY) as harness:
        for number in (1, 2):
            await harness.publish(OrderCreated(order_id=f"o-{number}", number=number))
        await harness.settle()
        assert seen.count(2) == 1
        await harness.advance(seconds=2)
        assert (seen.count(1), seen.count(2)) == (12, 1)
        (letter,) = harness.dead_letters
        assert letter.reason.startswith("failed")
        assert "deadlock detected" in letter.reason


async def test_a_batch_that_loses_is_halved_down_to_the_event_that_loses_each_time(sessions: Sessions) -> None:
    handlers, calls = Handlers(), list[list[int]]()

    @handlers.batch(OrderCreated, size=4, within=timedelta(seconds=1))
    async def take(events: Sequence[OrderCreated], _context: BatchContext) -> None:
        calls.append([event.number for event in events])
        if 3 in calls[-1]:
            lose()

    async with Harness(handlers, sessions=sessions, retry=POLICY) as harness:
        for number in range(4):
            await harness.publish(OrderCreated(order_id=f"o-{number}", number=number))
        await harness.settle()
        await harness.advance(seconds=1)
        assert calls[0] == [0, 1, 2, 3]
        assert calls.count([0, 1]) == calls.count([2]) == 1  # the halves run side by side
        await harness.advance(seconds=10)
        assert calls.count([3]) == 12
        assert len(harness.dead_letters) == 1


async def test_a_row_that_somebody_keeps_locked_holds_up_its_own_key_and_no_other(sessions: Sessions) -> None:
    handlers, seen, is_locked = Handlers(), list[int](), [True]

    @handlers.on(OrderCreated)
    async def take(event: OrderCreated, _context: Context) -> None:
        if event.number == 1 and is_locked[0]:
            raise OperationalError("SELECT … FOR UPDATE NOWAIT", {}, LockNotAvailable("could not obtain lock on row"))
        seen.append(event.number)

    async with Harness(handlers, sessions=sessions, retry=RetryPolicy(delays=())) as harness:
        for number in range(1, 6):
            await harness.publish(OrderCreated(order_id=f"o-{number}", number=number))
        await harness.advance(minutes=10)
        assert sorted(seen) == [2, 3, 4, 5]
        is_locked[0] = False
        await harness.advance(minutes=1)
        assert harness.dead_letters == []
    assert sorted(seen) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("is_away", [True, False], ids=["away", "deadlock"])
async def test_what_the_database_says_counts_inside_of_batch_failed_too(sessions: Sessions, is_away: bool) -> None:
    """The handler keeps each event's error, as the guide shows; nothing of it is an event's fault."""
    handlers, calls = Handlers(), list[list[int]]()

    @handlers.batch(OrderCreated, size=4, within=timedelta(seconds=1))
    async def take(events: Sequence[OrderCreated], _context: BatchContext) -> None:
        calls.append([event.number for event in events])
        gone = OperationalError("UPDATE", {}, AdminShutdown("shutting down"))
        if len(calls) == 1:
            raise BatchFailed({index: gone if is_away else lost() for index in range(len(events))})

    async with Harness(handlers, sessions=sessions, retry=RetryPolicy(delays=())) as harness:
        for number in range(4):
            await harness.publish(OrderCreated(order_id=f"o-{number}", number=number))
        await harness.advance(minutes=2)
        assert harness.dead_letters == []
    assert sorted(number for call in calls[1:] for number in call) == [0, 1, 2, 3]


async def test_what_runs_again_at_once_waits_for_no_batch() -> None:
    handlers, at = Handlers(), list[datetime]()

    @handlers.batch(OrderCreated, size=100, within=timedelta(minutes=1))
    async def take(_events: Sequence[OrderCreated], _context: BatchContext) -> None:
        at.append(harness.clock.now())
        raise Conflict

    async with Harness(handlers, retry=RetryPolicy(delays=())) as harness:
        await harness.publish(OrderCreated(order_id="o-1", number=1))
        await harness.advance(minutes=2)
    assert len(at) == 6
    assert len(set(at)) == 1
