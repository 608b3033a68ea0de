"""A shipped order is confirmed by itself after seven days: by the delay queue on time, or by the sweeper if Redis forgot it.

Law: a buyer who asked for the money back is not taken to agree.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from mall.order import store
from mall.order.domain import Ignored, Refused, Trigger
from mall.order.tables import STATUS_CODES
from mall.order.transition import Step, attempt
from mall.work import Desk, Work
from mall_events.order import OrderStatus
from treaty_runtime.delay.runner import JobContext, JobHandler
from treaty_runtime.job import Job

BATCH = 100
NOTE = "confirmed by itself after seven days"


async def confirm_by_itself(work: Work, *, order_id: int) -> bool:
    """Confirm a shipped order whose time is over; answers whether it did."""
    row = await store.find_order(work.session, order_id, lock=True)
    if row is None or row.status != STATUS_CODES[OrderStatus.SHIPPED]:
        return False
    if row.confirm_before is None or work.now < row.confirm_before:
        return False
    step = Step(trigger=Trigger.CONFIRMED, operator="system:order", note=NOTE)
    return not isinstance(await attempt(work, row=row, step=step), Ignored | Refused)


def confirm_worker(*, now: Callable[[], datetime]) -> JobHandler:
    """What the delay queue runs seven days after an order was shipped."""

    async def confirm_in_time(job: Job, context: JobContext) -> None:
        # The queue goes by the database's clock. Where this host's is behind, the job is due all the same.
        time = max(now(), job.due)
        work = Work(session=context.session, now=time, stage=context.stage, schedule=context.schedule)
        await confirm_by_itself(work, order_id=int(job.payload))

    return confirm_in_time


async def sweep(desk: Desk, *, at_once: int = BATCH) -> int:
    """Confirm every order whose time is over, one transaction each; answers how many."""
    confirmed = 0
    while True:
        async with desk.look() as session:
            silent = await store.unconfirmed(session, now=desk.now(), at_most=at_once)
        for order_id in silent:
            async with desk.open() as work:
                confirmed += await confirm_by_itself(work, order_id=order_id)
        if len(silent) < at_once:
            return confirmed
