"""Looks at payments that are due: a deadline passed, a refund is to be tried again, the channel is to be asked once more.

Law 1: a job only announces, by an event to the gateway; the channel is asked outside any transaction.
Law 2: whoever was announced is announced again if nothing came of it for `AGAIN_AFTER`, so no payment is stuck.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from mall.payment import events, store
from mall.payment.tables import SagaRow
from mall.work import Desk, Work
from mall_events.payment import PaymentStatus
from mall_events.saga import CompensationStep
from treaty_runtime.delay.runner import JobContext, JobHandler
from treaty_runtime.job import Job

SAGA_QUEUE, REFUND_QUEUE = "saga-timeout", "refund-retry"
AGAIN_AFTER = timedelta(minutes=5)
BATCH = 100
TIMED_OUT, LAST_QUESTION = "timed_out", "last_question"
Announce = Callable[[Work, UUID], Awaitable[bool]]


def saga_job(payment_id: UUID, *, due: datetime) -> Job:
    """The job that looks whether a payment is still unanswered, or was charged after it was given up."""
    return Job(queue=SAGA_QUEUE, id=str(payment_id), due=due, payload=str(payment_id).encode())


def refund_job(payment_id: UUID, *, due: datetime) -> Job:
    """The job that has the channel asked for a refund again."""
    return Job(queue=REFUND_QUEUE, id=str(payment_id), due=due, payload=str(payment_id).encode())


async def announce_saga(work: Work, payment_id: UUID) -> bool:
    """Ask the gateway to give an unanswered payment up, or to ask the channel about one that was given up."""
    payment = await store.find_payment(work.session, payment_id, lock=True)
    if payment is None:
        return False
    saga = await work.session.get_one(SagaRow, payment_id)
    if not _is_due(saga.due_at, saga.staged_at, work.now):
        return False
    saga.staged_at = work.now
    is_unanswered = payment.status == PaymentStatus.CREATED.name
    reason = TIMED_OUT if is_unanswered else LAST_QUESTION
    step = CompensationStep.TIMEOUT
    work.stage(events.compensation(store.payment_of(payment), step=step, reason=reason, now=work.now))
    return True


async def announce_refund(work: Work, payment_id: UUID) -> bool:
    """Ask the gateway to try a refund again."""
    payment = await store.find_payment(work.session, payment_id, lock=True)
    refund = await store.refund_of_payment(work.session, payment_id)
    if payment is None or refund is None or not _is_due(refund.due_at, refund.staged_at, work.now):
        return False
    refund.staged_at = work.now
    step = CompensationStep.ORDER
    work.stage(events.compensation(store.payment_of(payment), step=step, reason=refund.reason, now=work.now))
    return True


def worker(announce: Announce, *, now: Callable[[], datetime]) -> JobHandler:
    """What the delay queue runs for `announce_saga` or `announce_refund`."""

    async def announce_in_time(job: Job, context: JobContext) -> None:
        # The queue goes by the database's clock. Where this host's is behind, the job is due all the same.
        time = max(now(), job.due)
        work = Work(session=context.session, now=time, stage=context.stage, schedule=context.schedule)
        await announce(work, UUID(job.payload.decode()))

    return announce_in_time


async def sweep(desk: Desk, *, at_once: int = BATCH) -> int:
    """Announce everything that is due, one transaction each; answers how many."""
    sagas = await _sweep(desk, store.due_sagas, announce_saga, at_once)
    return sagas + await _sweep(desk, store.due_refunds, announce_refund, at_once)


Find = Callable[..., Awaitable[Sequence[UUID]]]


async def _sweep(desk: Desk, find: Find, announce: Announce, at_once: int) -> int:
    announced = 0
    while True:
        due = await _due(desk, find, at_once)
        for payment_id in due:
            async with desk.open() as work:
                announced += await announce(work, payment_id)
        if len(due) < at_once:
            return announced


async def _due(desk: Desk, find: Find, at_once: int) -> Sequence[UUID]:
    async with desk.look() as session:
        now = desk.now()
        return await find(session, now=now, staged_before=now - AGAIN_AFTER, at_most=at_once)


def _is_due(due_at: datetime | None, staged_at: datetime | None, now: datetime) -> bool:
    if due_at is None or now < due_at:
        return False
    return staged_at is None or staged_at < now - AGAIN_AFTER
