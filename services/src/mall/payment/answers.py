"""Payments as clients see them. Amounts are whole minor units of `currency`; risk and the channel's words stay inside."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from mall.payment.store import Conservation
from mall.payment.tables import LedgerAccountRow, PaymentRow, RefundRow


class RefundAnswer(BaseModel):
    """The way back of a payment's money."""

    refund_id: UUID
    reason: str
    attempts: int
    paid_back_at: datetime | None


class PaymentAnswer(BaseModel):
    """One payment."""

    payment_id: UUID
    payment_no: str
    order_id: int
    merchant_id: int
    payer_id: int
    amount: int
    currency: str
    method: str
    status: str
    failure_code: str | None
    metadata: dict[str, str]
    refund: RefundAnswer | None
    created_at: datetime
    updated_at: datetime


class BalanceAnswer(BaseModel):
    """What an account holds."""

    account: str
    owner_id: int | None
    balance: int
    currency: str
    version: int


class ConservationAnswer(BaseModel):
    """Both sides of the ledger's law and what they differ by, which is 0."""

    charged: int
    refunded: int
    clearing: int
    settled: int
    fees: int
    difference: int


def payment_answer(row: PaymentRow, refund: RefundRow | None) -> PaymentAnswer:
    """The payment of a written row."""
    own = set(PaymentAnswer.model_fields) - {"metadata", "refund"}
    shown = None if refund is None else RefundAnswer(**refund.model_dump(include=set(RefundAnswer.model_fields)))
    return PaymentAnswer(**row.model_dump(include=own), metadata=row.kept, refund=shown)


def balance_answer(row: LedgerAccountRow) -> BalanceAnswer:
    """The account of a written row."""
    return BalanceAnswer(**row.model_dump(include=set(BalanceAnswer.model_fields)))


def conservation_answer(sums: Conservation) -> ConservationAnswer:
    """What was charged and is not paid back lies in clearing, with merchants, or in fees."""
    held = sums.clearing + sums.settled + sums.fees
    return ConservationAnswer(**sums._asdict(), difference=sums.charged - sums.refunded - held)
