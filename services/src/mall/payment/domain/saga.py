"""The life of a payment, and the saga that it runs through.

Law 1: what is not in `TRANSITIONS` changes nothing, for deliveries repeat and answers come late.
Law 2: a charge that comes after the payment was given up is paid back; nothing is charged or paid back twice.
Law 3: money that was settled with the merchant is not paid back from here.
Law 4: the saga moves with the payment, by the event that tells of the move.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from mall_events.payment import (
    PaymentFailed,
    PaymentMethod,
    PaymentRefundCreated,
    PaymentRefundSucceeded,
    PaymentStatus,
    PaymentSucceeded,
)
from mall_events.saga import CompensationStep, PaymentSagaCompensationRequested
from treaty_runtime.saga import On, Saga

ANSWER_WITHIN = timedelta(minutes=5)
"""How long the channel and the order may take; then the payment is given up."""
REFUND_AGAIN_AFTER = timedelta(minutes=1)
REFUND_ATTEMPTS = 4
"""The first and three more; then people have to look."""

PAYMENT = Saga(
    "payment",
    start="STARTED",
    ends={"COMPLETED", "COMPENSATED"},
    transitions=(
        On(PaymentSucceeded, {"STARTED": "COMPLETED"}),
        On(PaymentFailed, {"STARTED": "COMPENSATED"}),
        On(PaymentSagaCompensationRequested, {"STARTED": "COMPENSATED"}),
        On(PaymentRefundCreated, {"COMPLETED": "COMPENSATING", "COMPENSATED": "COMPENSATING"}),
        On(PaymentRefundSucceeded, {"COMPENSATING": "COMPENSATED"}),
    ),
    otherwise="refuse",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One payment, as decisions see it. ``amount``: minor units of ``currency``."""

    payment_id: UUID
    payment_no: str
    order_id: int
    merchant_id: int
    payer_id: int
    amount: int
    currency: str
    method: PaymentMethod
    status: PaymentStatus
    metadata: Mapping[str, str] = field(default_factory=dict)
    is_settled: bool = False


@dataclass(frozen=True, slots=True)
class Approved:
    """The channel did it; ``reference`` is its name for that."""

    reference: str


@dataclass(frozen=True, slots=True)
class Declined:
    """The channel will not: a word for programs, a sentence for support staff."""

    code: str
    message: str


Answer = Approved | Declined


class Trigger(Enum):
    """What may happen to a payment after it was asked for."""

    CHARGED = "the channel took the money"
    DECLINED = "the channel refused the charge"
    REJECTED = "it is too risky"
    GIVEN_UP = "its time is over"
    UNDONE = "it must be undone"
    PAID_BACK = "the money is back"


CREATED, SUCCEEDED, FAILED = PaymentStatus.CREATED, PaymentStatus.SUCCEEDED, PaymentStatus.FAILED
CANCELLED, REFUNDING, REFUNDED = PaymentStatus.CANCELLED, PaymentStatus.REFUNDING, PaymentStatus.REFUNDED

TRANSITIONS: Mapping[tuple[PaymentStatus, Trigger], PaymentStatus] = {
    (CREATED, Trigger.CHARGED): SUCCEEDED,
    (CREATED, Trigger.DECLINED): FAILED,
    (CREATED, Trigger.REJECTED): FAILED,
    (CREATED, Trigger.GIVEN_UP): CANCELLED,
    (CREATED, Trigger.UNDONE): CANCELLED,
    (CANCELLED, Trigger.CHARGED): REFUNDING,
    (SUCCEEDED, Trigger.UNDONE): REFUNDING,
    (REFUNDING, Trigger.PAID_BACK): REFUNDED,
}


def advance(payment: Payment, trigger: Trigger) -> Payment | None:
    """The payment after `trigger`; None if that changes nothing (laws 1 and 3)."""
    to = TRANSITIONS.get((payment.status, trigger))
    if to is None or payment.is_settled:
        return None
    return replace(payment, status=to)


def answered(answer: Answer) -> Trigger:
    """What an answer of the channel to a charge does to the payment."""
    return Trigger.CHARGED if isinstance(answer, Approved) else Trigger.DECLINED


def compensated_by(step: CompensationStep) -> Trigger:
    """What a compensation does: a time-out gives up what is unanswered and leaves alone what was charged in time."""
    return Trigger.GIVEN_UP if step is CompensationStep.TIMEOUT else Trigger.UNDONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """The way back of a payment's money. ``due_at``: when the channel is asked next, None: not any more."""

    refund_id: UUID
    reason: str
    attempts: int
    due_at: datetime | None


def refuse_refund(refund: Refund, *, now: datetime) -> Refund:
    """The refund after the channel refused an attempt: asked again in a minute, or left to people."""
    attempts = refund.attempts + 1
    due = now + REFUND_AGAIN_AFTER if attempts < REFUND_ATTEMPTS else None
    return replace(refund, attempts=attempts, due_at=due)
