"""The pool: bounded, first come first served, each job cancelled alone."""

from __future__ import annotations

import asyncio

from tests.parts.waiting import eventually
from treaty_runtime.consume.workers import Workers
from treaty_runtime.errors import HandlerBroke


def unheard(_job: int, _became: object) -> None:
    """Whom the end of a job does not concern."""


async def test_cancelling_one_job_lets_its_worker_go_on_with_the_next() -> None:
    done: list[int] = []
    gate = asyncio.Event()

    async def work(job: int) -> None:
        if job == 0:
            await gate.wait()
        done.append(job)

    workers = Workers(1, work, unheard)
    for job in range(3):
        workers.submit(job)
    await eventually(lambda: list(workers.jobs()) == [0])
    workers.cancel(lambda job: job == 0)
    await eventually(lambda: done == [1, 2])
    await eventually(lambda: workers.is_idle)
    await workers.close()


async def test_withdrawn_jobs_never_begin() -> None:
    begun: list[int] = []
    gate = asyncio.Event()

    async def work(job: int) -> None:
        begun.append(job)
        await gate.wait()

    workers = Workers(1, work, unheard)
    for job in range(3):
        workers.submit(job)
    await eventually(lambda: begun == [0])
    assert workers.withdraw(lambda job: job > 0) == [1, 2]
    gate.set()
    await eventually(lambda: workers.is_idle)
    assert begun == [0]


async def test_jobs_that_never_suspend_leave_the_loop_to_others() -> None:
    done: list[int] = []
    seen_by_others: list[int] = []

    async def work(job: int) -> None:
        done.append(job)

    workers = Workers(1, work, unheard)
    for job in range(1000):
        workers.submit(job)
    while len(done) < 1000:
        seen_by_others.append(len(done))
        await asyncio.sleep(0)
    assert len(seen_by_others) > 5


async def test_what_a_job_raises_is_its_end_and_the_queue_goes_on() -> None:
    ends: list[tuple[int, str]] = []

    async def work(job: int) -> str:
        if job == 0:
            raise ValueError("broken")
        return "done"

    workers = Workers(1, work, lambda job, became: ends.append((job, str(became))))
    for job in range(3):
        workers.submit(job)
    await eventually(lambda: workers.is_idle)
    assert ends == [(0, "broken"), (1, "done"), (2, "done")]
    await workers.close()


async def test_what_is_no_exception_is_the_end_of_its_job_alone() -> None:
    class PanicException(BaseException):
        """As extensions in Rust raise it."""

    ends: list[tuple[int, object]] = []

    async def work(job: int) -> None:
        if job == 0:
            raise PanicException("called unwrap on None")

    workers = Workers(1, work, lambda job, became: ends.append((job, became)))
    for job in range(2):
        workers.submit(job)
    await eventually(lambda: len(ends) == 2)
    (_, broke), last = ends
    assert last == (1, None)
    assert isinstance(broke, HandlerBroke)
    assert (type(broke.__cause__), str(broke).endswith("PanicException: called unwrap on None")) == (
        PanicException,
        True,
    )
    await workers.close()


async def test_a_job_that_is_cancelled_from_within_ends_so_and_its_worker_goes_on() -> None:
    ends: list[tuple[int, type]] = []

    async def work(job: int) -> None:
        if job == 0:
            inner = asyncio.ensure_future(asyncio.sleep(0))
            inner.cancel()
            await inner

    workers = Workers(1, work, lambda job, became: ends.append((job, type(became))))
    for job in range(2):
        workers.submit(job)
    await eventually(lambda: len(ends) == 2)
    assert ends == [(0, asyncio.CancelledError), (1, type(None))]
    await workers.close()


async def test_a_job_that_resists_its_cancellation_leaves_none_to_the_next() -> None:
    ends: list[tuple[int, object]] = []
    begun = asyncio.Event()

    async def work(job: int) -> str:
        if job == 0:
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return "resisted"
        await asyncio.sleep(0)
        return "done"

    workers = Workers(1, work, lambda job, became: ends.append((job, became)))
    workers.submit(0)
    workers.submit(1)
    await begun.wait()
    workers.cancel(lambda job: job == 0)
    workers.cancel(lambda job: job == 0)
    await eventually(lambda: len(ends) == 2)
    assert ends == [(0, "resisted"), (1, "done")]
    await workers.close()


async def test_a_bug_in_who_hears_of_the_end_does_not_stop_the_queue() -> None:
    done: list[int] = []
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))

    async def work(job: int) -> None:
        done.append(job)

    def end(job: int, _became: object) -> None:
        if job == 0:
            raise ValueError("a bug")

    workers = Workers(1, work, end)
    for job in range(3):
        workers.submit(job)
    await eventually(lambda: sorted(done) == [0, 1, 2])
    await workers.close()
