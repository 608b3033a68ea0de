"""Threads for what blocks: few at work, and nobody waits for a job that is not theirs."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable, Iterator
from operator import neg

import pytest

from tests.parts.waiting import eventually
from treaty.registry.errors import StoreUnavailable
from treaty.registry.http.hands import Hands

DEADLINE = 90


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


def test_a_job_that_nobody_waits_for_is_not_done(hands: Hands) -> None:
    begun, opened, done = threading.Event(), threading.Event(), list[int]()

    def hold(_: object) -> None:
        begun.set()
        opened.wait(DEADLINE)

    async def ask() -> None:
        first = asyncio.ensure_future(hands.run(hold, None))
        second = asyncio.ensure_future(hands.run(done.append, 2))
        await asyncio.to_thread(begun.wait, DEADLINE)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        opened.set()
        await first
        await hands.run(done.append, 3)

    asyncio.run(ask())
    assert done == [3]


def test_many_who_come_back_from_aside_do_not_keep_others_waiting() -> None:
    """One more than are at work is let in at once, not one more than were to be: that took a round for each of them."""
    rounds, many = 0, 15
    opened, back = threading.Event(), threading.Barrier(many + 1)

    class Counting(Hands):
        def _tick(self) -> None:
            nonlocal rounds
            before = self._at_once
            super()._tick()
            rounds += self._at_once > before

        def at_work(self) -> int:
            return self._working

    hands = Counting(many + 1, at_once=1)

    def wait(_: object) -> None:
        with hands.aside():
            back.wait(DEADLINE)
        assert opened.wait(DEADLINE)

    async def ask() -> int:
        async with asyncio.timeout(DEADLINE):
            waiting = [asyncio.ensure_future(hands.run(wait, None)) for _ in range(many)]
            await asyncio.to_thread(back.wait, DEADLINE)
            await eventually(lambda: hands.at_work() == many)
            before = rounds
            await hands.run(lambda _: opened.set(), None)
            taken = rounds - before
            await asyncio.gather(*waiting)
            return taken

    assert asyncio.run(ask()) <= 1
    hands.close()


def test_no_thread_keeps_an_answer_that_was_given(hands: Hands) -> None:
    gone = threading.Event()

    class Answer:
        """Something whose end can be waited for."""

    async def ask() -> None:
        weakref.finalize(await hands.run(lambda _: Answer(), None), gone.set)

    asyncio.run(ask())
    assert gone.wait(DEADLINE)


def test_what_is_asked_after_the_end_is_refused(hands: Hands) -> None:
    hands.close()
    with pytest.raises(StoreUnavailable):
        asyncio.run(hands.run(neg, 1))


def test_the_end_of_an_iterator_is_an_error_like_others(hands: Hands) -> None:
    def ends(_: object) -> object:
        return next(iter(()))

    async def ask() -> object:
        async with asyncio.timeout(DEADLINE):
            return await hands.run(ends, None)

    with pytest.raises(RuntimeError, match="StopIteration"):
        asyncio.run(ask())


async def both(hands: Hands, first: Callable[[object], object], second: Callable[[object], object]) -> None:
    """Two jobs at once; fails when they are not done in time."""
    async with asyncio.timeout(DEADLINE):
        await asyncio.gather(hands.run(first, None), hands.run(second, None))


def test_writes_that_get_nowhere_leave_threads_for_reads() -> None:
    opened, hands = threading.Event(), Hands(4, at_once=1)

    def write(_: object) -> bool:
        with hands.aside():
            return opened.wait(DEADLINE)

    async def ask() -> list[bool]:
        async with asyncio.timeout(DEADLINE):
            writes = [asyncio.ensure_future(hands.run(write, None, is_write=True)) for _ in range(8)]
            for number in range(20):
                assert await hands.run(neg, number) == -number
            opened.set()
            return await asyncio.gather(*writes)

    assert all(asyncio.run(ask()))
    hands.close()


def test_of_reads_and_writes_the_first_is_first() -> None:
    # One thread: a second one, which a machine with other work may bring in, could tell of its job before the first does.
    done, opened, hands = list[int](), threading.Event(), Hands(1, at_once=1)

    async def ask() -> None:
        async with asyncio.timeout(DEADLINE):
            first = asyncio.ensure_future(hands.run(lambda _: opened.wait(DEADLINE), None))
            await asyncio.sleep(0)
            later = [
                asyncio.ensure_future(hands.run(done.append, number, is_write=number % 3 == 0)) for number in range(9)
            ]
            await asyncio.sleep(0)
            opened.set()
            await asyncio.gather(first, *later)

    asyncio.run(ask())
    hands.close()
    assert done == list(range(9))
