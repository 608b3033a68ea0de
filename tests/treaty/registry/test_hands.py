"""Threads for what blocks: few at work, and nobody waits for a job that is not theirs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from operator import neg

import pytest

from treaty.registry.http.hands import Hands

DEADLINE = 30


@pytest.fixture
def hands() -> Iterator[Hands]:
    """Three threads, one of them at work at a time."""
    made = Hands(3, at_once=1)
    yield made
    made.close()


def test_each_job_gets_its_own_outcome(hands: Hands) -> None:
    async def ask() -> list[int | BaseException]:
        jobs = [hands.run(neg, number) for number in range(100)]
        return await asyncio.gather(*jobs, hands.run(int, "no number"), return_exceptions=True)

    *numbers, error = asyncio.run(ask())
    assert numbers == [-number for number in range(100)]
    assert isinstance(error, ValueError)


def test_beside_a_job_that_waits_for_others_another_one_works(hands: Hands) -> None:
    opened, said = threading.Event(), list[str]()

    def wait(_: object) -> None:
        with hands.aside():
            said.append("waits")
            assert opened.wait(DEADLINE)

    asyncio.run(both(hands, wait, lambda _: opened.set()))
    assert said == ["waits"]


def test_a_job_that_gets_nowhere_brings_another_thread(hands: Hands) -> None:
    opened = threading.Event()
    asyncio.run(both(hands, lambda _: opened.wait(DEADLINE), lambda _: opened.set()))
    assert opened.is_set()


def test_what_is_done_is_told_though_the_next_job_takes_long(hands: Hands) -> None:
    told = threading.Event()

    async def ask() -> tuple[int, bool]:
        quick = asyncio.ensure_future(hands.run(neg, 7))
        slow = asyncio.ensure_future(hands.run(told.wait, DEADLINE))
        number = await quick
        told.set()
        return number, await slow

    assert asyncio.run(ask()) == (-7, True)


def test_no_more_work_at_a_time_than_said_while_all_get_on(hands: Hands) -> None:
    at_work, most, lock = 0, 0, threading.Lock()

    def work(_: object) -> None:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        with lock:
            at_work -= 1

    async def ask() -> None:
        await asyncio.gather(*(hands.run(work, number) for number in range(200)))

    asyncio.run(ask())
    assert most == 1


def test_who_went_away_meanwhile_harms_nobody(hands: Hands) -> None:
    opened = threading.Event()

    async def ask() -> int:
        gone = asyncio.ensure_future(hands.run(opened.wait, DEADLINE))
        await asyncio.sleep(0)
        gone.cancel()
        opened.set()
        return await hands.run(neg, 7)

    assert asyncio.run(ask()) == -7


async def both(hands: Hands, first: Callable[[object], object], second: Callable[[object], object]) -> None:
    """Two jobs at once; fails when they are not done in time."""
    async with asyncio.timeout(DEADLINE):
        await asyncio.gather(hands.run(first, None), hands.run(second, None))
