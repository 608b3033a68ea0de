"""The pool: bounded, first come first served, each job cancelled alone."""

from __future__ import annotations

import asyncio

from tests.parts.waiting import eventually
from treaty_runtime.consume.workers import Workers


async def test_cancelling_one_job_lets_its_worker_go_on_with_the_next() -> None:
    done: list[int] = []
    gate = asyncio.Event()

    async def work(job: int) -> None:
        if job == 0:
            await gate.wait()
        done.append(job)

    workers = Workers(1, work)
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

    workers = Workers(1, work)
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

    workers = Workers(1, work)
    for job in range(1000):
        workers.submit(job)
    while len(done) < 1000:
        seen_by_others.append(len(done))
        await asyncio.sleep(0)
    assert len(seen_by_others) > 5


async def test_a_bug_in_the_work_does_not_stop_the_queue() -> None:
    done: list[int] = []
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))

    async def work(job: int) -> None:
        if job == 0:
            raise ValueError("a bug")
        done.append(job)

    workers = Workers(1, work)
    for job in range(3):
        workers.submit(job)
    await eventually(lambda: sorted(done) == [1, 2])
    await workers.close()
