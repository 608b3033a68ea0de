"""Carries out `domain.advance`: the payment, its saga, its refund, the ledger and the events change in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from mall.payment import events, jobs, store
from mall.payment.booking import book
from mall.payment.domain import (
    PAYMENT,
    Answer,
    Approved,
    Declined,
    Payment,
    Refund,
    Trigger,
    advance,
    booking_of,
)
from mall.payment.tables import PaymentRow, RefundRow, SagaRow
from mall.work import Work
from mall_events.payment import PaymentStatus
from mall_events.saga import CompensationStep
from treaty_runtime.event import Event
from treaty_runtime.saga import State, decide
from treaty_runtime.saga import Step as Moved

LAST_QUESTION_AFTER = timedelta(minutes=1)
"""A payment that was given up is asked for at the channel once more: its charge may have gone through unheard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that happens to a payment: the channel's answer, or why it is undone."""

    trigger: Trigger
    answer: Answer | None = None
    reason: str = ""
    compensation: CompensationStep = CompensationStep.ORDER


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A transition under way: the rows are locked, `after` is decided."""

    work: Work
    row: PaymentRow
    after: Payment
    step: Step


async def carry_out(work: Work, *, row: PaymentRow, step: Step) -> bool:
    """Advance a locked payment; False if the trigger changes nothing."""
    before = store.payment_of(row)
    after = advance(before, step.trigger)
    if after is None:
        return False
    row.take(after, now=work.now)
    told = await EFFECTS[before.status, after.status](Move(work=work, row=row, after=after, step=step))
    booking = booking_of(before.status, after)
    if booking is not None:
        await book(work, booking)
    saga = await work.session.get_one(SagaRow, row.payment_id)
    _move_saga(saga, told, work)
    if after.status is PaymentStatus.CANCELLED:
        _ask_once_more(saga, work)
    return True


async def _succeed(move: Move) -> Event:
    told = events.succeeded(move.after, reference=_charged(move), now=move.work.now)
    move.work.stage(told)
    return told


async def _fail(move: Move) -> Event:
    answer = move.step.answer
    if not isinstance(answer, Declined):
        raise TypeError(f"a payment fails by an answer of the channel, not by {answer}")
    move.row.failure_code = answer.code
    told = events.failed(move.after, code=answer.code, message=answer.message, now=move.work.now)
    move.work.stage(told)
    step = CompensationStep.CHANNEL
    move.work.stage(events.compensation(move.after, step=step, reason=answer.code, now=move.work.now))
    return told


async def _cancel(move: Move) -> Event:
    return events.compensation(
        move.after, step=move.step.compensation, reason=move.step.reason, now=move.work.now
    )  # what was asked for is what tells the saga: readers hear nothing of a payment that never moved money


async def _undo(move: Move) -> Event:
    return _open_refund(move, reason=move.step.reason)


async def _undo_late_charge(move: Move) -> Event:
    _charged(move)
    told = _open_refund(move, reason="late_charge")
    # The gateway asks for refunds, and nobody else does: it hears of this one as of any other.
    step = CompensationStep.CHANNEL
    move.work.stage(events.compensation(move.after, step=step, reason="late_charge", now=move.work.now))
    return told


async def _pay_back(move: Move) -> Event:
    row = await store.refund_of_payment(move.work.session, move.row.payment_id)
    if row is None or not isinstance(move.step.answer, Approved):
        raise LookupError(f"payment {move.row.payment_id} is paid back without a refund that the channel approved")
    row.channel_reference, row.paid_back_at, row.due_at = move.step.answer.reference, move.work.now, None
    told = events.refund_succeeded(move.after, store.refund_of(row), reference=row.channel_reference, now=move.work.now)
    move.work.stage(told)
    return told


CREATED, SUCCEEDED, FAILED = PaymentStatus.CREATED, PaymentStatus.SUCCEEDED, PaymentStatus.FAILED
CANCELLED, REFUNDING, REFUNDED = PaymentStatus.CANCELLED, PaymentStatus.REFUNDING, PaymentStatus.REFUNDED

EFFECTS: Mapping[tuple[PaymentStatus, PaymentStatus], Callable[[Move], Awaitable[Event]]] = {
    (CREATED, SUCCEEDED): _succeed,
    (CREATED, FAILED): _fail,
    (CREATED, CANCELLED): _cancel,
    (SUCCEEDED, REFUNDING): _undo,
    (CANCELLED, REFUNDING): _undo_late_charge,
    (REFUNDING, REFUNDED): _pay_back,
}


def _charged(move: Move) -> str:
    if not isinstance(move.step.answer, Approved):
        raise TypeError(f"a payment is charged by an approval of the channel, not by {move.step.answer}")
    move.row.channel_reference, move.row.charged_at = move.step.answer.reference, move.work.now
    return move.step.answer.reference


def _open_refund(move: Move, *, reason: str) -> Event:
    now, payment = move.work.now, move.after
    refund = Refund(refund_id=events.refund_id(payment.payment_id), reason=reason, attempts=0, due_at=now)
    move.work.session.add(
        RefundRow(
            refund_id=refund.refund_id,
            payment_id=payment.payment_id,
            amount=payment.amount,
            currency=payment.currency,
            reason=reason,
            due_at=now,
            staged_at=now,  # the event at hand, or the one that is staged with this
            created_at=now,
        )
    )
    told = events.refund_created(payment, refund, now=now)
    move.work.stage(told)
    return told


def _move_saga(row: SagaRow, told: Event, work: Work) -> None:
    match decide(PAYMENT, State(row.state, row.version), told):
        case Moved(to=to):
            row.state, row.version, row.updated_at = to.name, to.version, work.now
        case disagreement:
            raise LookupError(f"the saga of payment {row.saga_id} disagrees with its payment: {disagreement.reason}")
    row.due_at = row.staged_at = None


def _ask_once_more(row: SagaRow, work: Work) -> None:
    row.due_at = work.now + LAST_QUESTION_AFTER
    work.schedule(jobs.saga_job(row.saga_id, due=row.due_at), replace=True)
