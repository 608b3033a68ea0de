"""The decisions of the payment service: plain functions on plain values."""

from mall.payment.domain.ledger import (
    Account,
    Booking,
    balance_after,
    booking_of,
    fee_of,
    settlement_booking,
)
from mall.payment.domain.opening import Payable, Refused, may_pay
from mall.payment.domain.risk import Assessment, RiskFacts, assess
from mall.payment.domain.saga import (
    PAYMENT,
    TRANSITIONS,
    Answer,
    Approved,
    Declined,
    Payment,
    Refund,
    Trigger,
    advance,
    answered,
    compensated_by,
    refuse_refund,
)

__all__ = [
    "PAYMENT",
    "TRANSITIONS",
    "Account",
    "Answer",
    "Approved",
    "Assessment",
    "Booking",
    "Declined",
    "Payable",
    "Payment",
    "Refund",
    "Refused",
    "RiskFacts",
    "Trigger",
    "advance",
    "answered",
    "assess",
    "balance_after",
    "booking_of",
    "compensated_by",
    "fee_of",
    "may_pay",
    "refuse_refund",
    "settlement_booking",
]
