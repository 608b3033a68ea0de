"""Undoes a payment: gives it up while nothing was charged, pays it back afterwards.

Law: first it is written down what is to happen, then the channel is asked, then its answer is written down. Killed between any
two, the redelivered event finds where to go on.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial

from mall.payment import events, jobs, store
from mall.payment.domain import Approved, Declined, Refund, Trigger, compensated_by, refuse_refund
from mall.payment.tables import PaymentRow, SagaRow
from mall.payment.till import Till
from mall.payment.transition import Step, carry_out
from mall.work import Work
from mall_events.payment import PaymentStatus
from mall_events.saga import PaymentSagaCompensationRequested
from treaty_runtime.event import Context

log = logging.getLogger("mall.payment")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the channel is to be asked: for a refund, or (None) what became of the charge."""

    amount: int
    currency: str
    refund: Refund | None = None


async def undo(till: Till, context: Context, *, request: PaymentSagaCompensationRequested) -> None:
    """Carry out a compensation, as far as it has to go."""
    payment_id = request.payment_id
    async with till.open(context, since=request.event_time) as work:
        row = await store.find_payment(work.session, payment_id, lock=True)
        if row is None:
            return
        step = Step(trigger=compensated_by(request.step), reason=request.reason, compensation=request.step)
        await carry_out(work, row=row, step=step)
        question = await _question(work, row)
    if question is None:
        return
    if question.refund is None:
        await _ask_about_charge(till, context, request)
    else:
        await _ask_for_refund(till, context, request, question)


async def _question(work: Work, row: PaymentRow) -> Question | None:
    if row.status == PaymentStatus.REFUNDING.name:
        refund = await store.refund_of_payment(work.session, row.payment_id)
        if refund is not None and refund.due_at is not None and refund.due_at <= work.now:
            return Question(amount=row.amount, currency=row.currency, refund=store.refund_of(refund))
    if row.status == PaymentStatus.CANCELLED.name:
        saga = await work.session.get_one(SagaRow, row.payment_id)
        if saga.due_at is not None and saga.due_at <= work.now:
            return Question(amount=row.amount, currency=row.currency)
    return None


async def _ask_about_charge(till: Till, context: Context, request: PaymentSagaCompensationRequested) -> None:
    payment_id = request.payment_id
    answer = await context.outside("find", str(payment_id), partial(till.channel.find, payment_id))
    async with till.open(context, since=request.event_time) as work:
        row = await store.find_payment(work.session, payment_id, lock=True)
        if row is None:
            return
        if isinstance(answer, Approved):
            await carry_out(work, row=row, step=Step(trigger=Trigger.CHARGED, answer=answer))
        saga = await work.session.get_one(SagaRow, payment_id)
        saga.due_at = saga.staged_at = None


async def _ask_for_refund(
    till: Till, context: Context, request: PaymentSagaCompensationRequested, question: Question
) -> None:
    refund = question.refund
    if refund is None:
        return
    ask = partial(
        till.channel.refund,
        refund.refund_id,
        payment_id=request.payment_id,
        amount=question.amount,
        currency=question.currency,
    )
    answer = await context.outside("refund", str(refund.refund_id), ask)
    async with till.open(context, since=request.event_time) as work:
        row = await store.find_payment(work.session, request.payment_id, lock=True)
        if row is None:
            return
        if isinstance(answer, Declined):
            await _refused(work, row, refund, answer)
        else:
            await carry_out(work, row=row, step=Step(trigger=Trigger.PAID_BACK, answer=answer))


async def _refused(work: Work, payment: PaymentRow, asked: Refund, answer: Declined) -> None:
    row = await store.refund_of_payment(work.session, payment.payment_id)
    if row is None or payment.status != PaymentStatus.REFUNDING.name or row.attempts != asked.attempts:
        return  # somebody else has asked meanwhile, and has written that down
    after = refuse_refund(store.refund_of(row), now=work.now)
    row.take(after)
    row.failure_code = answer.code
    told = store.payment_of(payment)
    work.stage(events.refund_failed(told, after, code=answer.code, now=work.now))
    if after.due_at is not None:
        work.schedule(jobs.refund_job(payment.payment_id, due=after.due_at), replace=True)
    else:
        work.stage(events.refund_given_up(told, after, now=work.now))
        log.error("refund %s of payment %s was refused %d times", row.refund_id, payment.payment_id, after.attempts)
