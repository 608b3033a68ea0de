"""An unpaid order times out: announced by the delay queue on time, or by the sweeper if Redis forgot it.

Law: `timeout_staged_at` is set in the transaction that stages OrderTimedOut, so the announcement is made once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from mall.order import events, store
from mall.order.tables import STATUS_CODES
from mall.work import Desk, Work
from mall_events.order import OrderStatus
from treaty_runtime.delay.runner import JobContext, JobHandler
from treaty_runtime.job import Job

QUEUE = "order-timeout"
BATCH = 100


def timeout_job(order_id: int, *, due: datetime) -> Job:
    """The job that announces the time-out of an order."""
    return Job(queue=QUEUE, id=str(order_id), due=due, payload=str(order_id).encode())


async def announce(work: Work, *, order_id: int) -> bool:
    """Stage OrderTimedOut if the order is unpaid, overdue and not announced; answers whether it did."""
    row = await store.find_order(work.session, order_id, lock=True)
    if row is None or row.status != STATUS_CODES[OrderStatus.PENDING_PAYMENT]:
        return False
    if row.timeout_staged_at is not None or work.now < row.pay_before:
        return False
    row.timeout_staged_at = work.now
    work.stage(events.timed_out(order_id, buyer_id=row.buyer_id, pay_before=row.pay_before, now=work.now))
    return True


def timeout_worker(*, now: Callable[[], datetime]) -> JobHandler:
    """What the delay queue runs when an order's time is up."""

    async def announce_in_time(job: Job, context: JobContext) -> None:
        # The queue goes by the database's clock. Where this host's is behind, the job is due all the same.
        time = max(now(), job.due)
        work = Work(session=context.session, now=time, stage=context.stage, schedule=context.schedule)
        await announce(work, order_id=int(job.payload))

    return announce_in_time


async def sweep(desk: Desk, *, at_once: int = BATCH) -> int:
    """Announce every overdue order once, one transaction each, `at_once` per look; answers how many."""
    announced = 0
    while True:
        async with desk.open() as work:
            overdue = await store.overdue(work.session, now=work.now, at_most=at_once)
        for order_id in overdue:
            async with desk.open() as work:
                announced += await announce(work, order_id=order_id)
        if len(overdue) < at_once:
            return announced
