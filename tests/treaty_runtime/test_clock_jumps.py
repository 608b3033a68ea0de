"""The host's clock is set forward or back by an hour: nothing waits an hour, nothing times out, nothing is lost."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.parts.waiting import eventually
from tests.treaty_runtime.order_events import OrderCreated
from tests.treaty_runtime.shop import Shop, group_of, order
from treaty_runtime.clock import SystemClock, utcnow
from treaty_runtime.event import Context
from treaty_runtime.handlers import Handlers
from treaty_runtime.hooks import Failed
from treaty_runtime.retry import RetryPolicy
from treaty_runtime.testing.chaos import Chaos

HOUR = timedelta(hours=1)
JUMPS = pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forward", "back"])


class Wall:
    """A clock on a wall, which somebody sets."""

    def __init__(self) -> None:
        self.error = timedelta(0)

    def __call__(self) -> datetime:
        """What it shows."""
        return utcnow() + self.error


@JUMPS
async def test_a_timer_fires_in_its_time(jump: timedelta) -> None:
    wall, fired = Wall(), asyncio.Event()
    clock = SystemClock(wall)
    clock.call_at(wall() + timedelta(milliseconds=50), fired.set)
    wall.error = jump
    async with asyncio.timeout(HOUR.total_seconds() / 10):
        await fired.wait()


async def test_a_timer_never_fires_before_its_time_on_a_clock_that_nobody_sets() -> None:
    clock, early = SystemClock(), list[timedelta]()
    fired = asyncio.Event()
    for milliseconds in range(1, 60):
        when = clock.now() + timedelta(milliseconds=milliseconds)
        clock.call_at(when, lambda when=when: early.append(when - utcnow()))  # type: ignore[misc]  # the default binds the loop's value
    clock.call_at(clock.now() + timedelta(milliseconds=80), fired.set)
    await fired.wait()
    assert len(early) == 59
    assert max(early) <= timedelta(0)


@JUMPS
async def test_a_group_goes_on_committing_retrying_and_handling(jump: timedelta) -> None:
    wall, handlers, handled = Wall(), Handlers(), list[int]()
    going_on = asyncio.Event()

    @handlers.on(OrderCreated)
    async def handle(event: Any, context: Context) -> None:
        if event.number == 0:
            await going_on.wait()
        if event.number == 1 and context.attempt == 1:
            raise RuntimeError("The first attempt fails.")
        handled.append(event.number)

    group = group_of(handlers, has_retry_topics=False, retry=RetryPolicy(delays=("300ms",)))
    with Chaos() as chaos:
        chaos.topic(OrderCreated.__topic__, partitions=2)
        shop = Shop(chaos.bootstrap)
        async with shop.running(group, clock=SystemClock(wall)):
            places = await shop.publisher.publish_many([order(number, f"o-{number}") for number in range(3)])
            await eventually(lambda: 2 in handled and any(isinstance(each, Failed) for each in shop.hooks))
            wall.error = jump
            await shop.publisher.publish_many([order(number, f"o-{number}") for number in range(3, 20)])
            await eventually(lambda: len(handled) == 19)
            # Too few to be committed for their number: a tick has come, while the first handler still runs.
            await eventually(lambda: is_committed_beside(shop, places[0].partition))
            going_on.set()
            await eventually(lambda: sum(shop.committed().values()) == 20)
        await shop.producer.close()
    assert sorted(handled) == list(range(20))
    assert sum(isinstance(each, Failed) for each in shop.hooks) == 1


def is_committed_beside(shop: Shop, partition: int) -> bool:
    """Whether all of another partition is committed."""
    return any(each.partition != partition and offset > 0 for each, offset in shop.committed().items())
