"""Carries out a new payment: one transaction holds it, its risk check, its saga and their events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from mall.errors import NotFound, Refusal
from mall.identity import Identity
from mall.payment import events, jobs, store
from mall.payment.domain import PAYMENT, Assessment, Payable, Payment, RiskFacts, Trigger, advance, assess, may_pay
from mall.payment.domain.risk import RECENTLY
from mall.payment.domain.saga import ANSWER_WITHIN
from mall.payment.tables import PaymentRow, RiskCheckRow, SagaRow
from mall.work import Work
from mall_events.payment import PaymentMethod, PaymentStatus
from mall_events.risk import RiskLevel

RISK_REJECTED = "risk_rejected"
NEXT_STEPS = {
    "payment_in_progress": "Look the payment up; if it fails, start another one.",
    "order_not_payable": "Look the order up; if it was cancelled, place another one.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A buyer's wish to pay, as the request said it."""

    order_id: int
    method: PaymentMethod
    metadata: Mapping[str, str] = field(default_factory=dict)


async def open_payment(work: Work, *, payer: Identity, wish: Wish, payment_id: UUID) -> PaymentRow:
    """Write a payment in the caller's transaction, or raise why not (NotFound, Refusal)."""
    order = await _order_of(work, payer, wish.order_id)
    payment = _payment(order, wish, payment_id, work.now)
    assessment = assess(await _facts(work, payment))
    row = await _write(work, payment, assessment)
    for event in events.risk_checked(payment, assessment, now=work.now):
        work.stage(event)
    work.stage(events.created(payment, now=work.now, operator=payer.operator))
    if assessment.level is RiskLevel.CRITICAL:
        _reject(work, row, payment)
    else:
        _start_saga(work, payment)
    return row


async def _order_of(work: Work, payer: Identity, order_id: int) -> Payable:
    row = await store.find_payable(work.session, order_id, lock=True)
    order = None if row is None else store.payable_of(row)
    if order is None or order.buyer_id != payer.user_id:
        raise NotFound
    is_live = await store.has_live_payment(work.session, order_id)
    refusal = may_pay(order, has_live_payment=is_live, now=work.now)
    if refusal is not None:
        raise Refusal(refusal.code, refusal.message, next_step=NEXT_STEPS[refusal.code])
    return order


def _payment(order: Payable, wish: Wish, payment_id: UUID, now: datetime) -> Payment:
    return Payment(
        payment_id=payment_id,
        payment_no=f"{now:%Y%m%d}-{payment_id.hex[:12]}",
        order_id=order.order_id,
        merchant_id=order.seller_id,
        payer_id=order.buyer_id,
        amount=order.amount,
        currency=order.currency,
        method=wish.method,
        status=PaymentStatus.CREATED,
        metadata=wish.metadata,
    )


async def _facts(work: Work, payment: Payment) -> RiskFacts:
    midnight = work.now.replace(hour=0, minute=0, second=0, microsecond=0)
    recent = await store.count_payments(work.session, payment.payer_id, since=work.now - RECENTLY)
    failures = await store.count_failures(work.session, payment.payer_id, since=midnight)
    return RiskFacts(amount=payment.amount, recent_payments=recent + 1, failures_today=failures)


async def _write(work: Work, payment: Payment, assessment: Assessment) -> PaymentRow:
    row = PaymentRow(
        payment_id=payment.payment_id,
        payment_no=payment.payment_no,
        order_id=payment.order_id,
        merchant_id=payment.merchant_id,
        payer_id=payment.payer_id,
        amount=payment.amount,
        currency=payment.currency,
        method=payment.method.name,
        status=payment.status.name,
        kept=dict(payment.metadata),
        created_at=work.now,
        updated_at=work.now,
    )
    work.session.add(row)
    await work.session.flush()  # first the payment: what follows names it
    work.session.add(
        RiskCheckRow(
            check_id=events.check_id(payment.payment_id),
            payment_id=payment.payment_id,
            payer_id=payment.payer_id,
            score=assessment.score,
            level=assessment.level.name,
            rules=list(assessment.rules),
            checked_at=work.now,
        )
    )
    return row


def _reject(work: Work, row: PaymentRow, payment: Payment) -> None:
    after = advance(payment, Trigger.REJECTED)
    if after is None:
        raise LookupError("a new payment can be rejected")
    row.take(after, now=work.now)
    row.failure_code = RISK_REJECTED
    message = "The payment was rejected by the risk check."
    work.stage(events.failed(after, code=RISK_REJECTED, message=message, now=work.now))


def _start_saga(work: Work, payment: Payment) -> None:
    deadline, begin = work.now + ANSWER_WITHIN, PAYMENT.begin
    work.session.add(
        SagaRow(
            saga_id=payment.payment_id,
            state=begin.name,
            version=begin.version,
            deadline=deadline,
            due_at=deadline,
            updated_at=work.now,
        )
    )
    work.stage(events.saga_started(payment, deadline=deadline, now=work.now))
    work.schedule(jobs.saga_job(payment.payment_id, due=deadline))
