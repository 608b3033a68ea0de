"""What the payment service tells: pure functions from decisions to events."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from mall.payment.domain import Account, Assessment, Booking, Payment, Refund
from mall_events.accounting import (
    AccountingBalanceUpdated,
    AccountingSettlementCompleted,
    AccountingSettlementCreated,
    AccountingTransactionCreated,
    LedgerEntry,
)
from mall_events.audit import AuditLogged, AuditOutcome
from mall_events.payment import (
    PaymentCreated,
    PaymentFailed,
    PaymentRefundCreated,
    PaymentRefundFailed,
    PaymentRefundSucceeded,
    PaymentSucceeded,
)
from mall_events.risk import (
    RiskCheckCompleted,
    RiskCheckStarted,
    RiskCriticalAlertRaised,
    RiskHighAlertRaised,
    RiskLevel,
)
from mall_events.saga import CompensationStep, PaymentSagaCompensationRequested, PaymentSagaStarted

SYSTEM = "system:payment"
RiskTold = RiskCheckStarted | RiskCheckCompleted | RiskHighAlertRaised | RiskCriticalAlertRaised


def check_id(payment_id: UUID) -> UUID:
    """The identity of a payment's risk check."""
    return uuid5(payment_id, "risk")


def refund_id(payment_id: UUID) -> UUID:
    """The identity of a payment's refund, the same in every attempt: the channel knows a repeated one by it."""
    return uuid5(payment_id, "refund")


def settlement_id(payment_id: UUID) -> UUID:
    """The identity of a payment's settlement."""
    return uuid5(payment_id, "settlement")


def created(payment: Payment, *, now: datetime, operator: str) -> PaymentCreated:
    """A payment was asked for."""
    return PaymentCreated(**_payment(payment), method=payment.method, event_time=now, operator=operator)


def succeeded(payment: Payment, *, reference: str, now: datetime) -> PaymentSucceeded:
    """The channel took the money."""
    return PaymentSucceeded(**_payment(payment), channel_reference=reference, event_time=now, operator=SYSTEM)


def failed(payment: Payment, *, code: str, message: str, now: datetime) -> PaymentFailed:
    """No money moved, and none will."""
    return PaymentFailed(
        **_payment(payment), failure_code=code, failure_message=message, event_time=now, operator=SYSTEM
    )


def risk_checked(payment: Payment, assessment: Assessment, *, now: datetime) -> list[RiskTold]:
    """The check, its verdict, and the alert that the verdict asks for."""
    check = check_id(payment.payment_id)
    told: list[RiskTold] = [
        RiskCheckStarted(
            check_id=check,
            payment_id=payment.payment_id,
            order_id=payment.order_id,
            payer_id=payment.payer_id,
            amount=payment.amount,
            currency=payment.currency,
            event_time=now,
            operator=SYSTEM,
        )
    ]
    verdict: dict[str, Any] = {
        "check_id": check,
        "payment_id": payment.payment_id,
        "payer_id": payment.payer_id,
        "score": assessment.score,
        "rules": list(assessment.rules),
        "event_time": now,
        "operator": SYSTEM,
    }
    told.append(RiskCheckCompleted(**verdict, level=assessment.level))
    if assessment.level is RiskLevel.CRITICAL:
        told.append(RiskCriticalAlertRaised(**verdict))
    elif assessment.level is RiskLevel.HIGH:
        told.append(RiskHighAlertRaised(**verdict))
    return told


def saga_started(payment: Payment, *, deadline: datetime, now: datetime) -> PaymentSagaStarted:
    """The order is to be held, the channel to be asked."""
    return PaymentSagaStarted(
        saga_id=payment.payment_id,
        payment_id=payment.payment_id,
        order_id=payment.order_id,
        payer_id=payment.payer_id,
        amount=payment.amount,
        currency=payment.currency,
        deadline=deadline,
        event_time=now,
        operator=SYSTEM,
    )


def compensation(
    payment: Payment, *, step: CompensationStep, reason: str, now: datetime
) -> PaymentSagaCompensationRequested:
    """The payment must be undone, or what undoes it must go on."""
    return PaymentSagaCompensationRequested(
        saga_id=payment.payment_id,
        payment_id=payment.payment_id,
        order_id=payment.order_id,
        step=step,
        reason=reason,
        event_time=now,
        operator=SYSTEM,
    )


def refund_created(payment: Payment, refund: Refund, *, now: datetime) -> PaymentRefundCreated:
    """The money is to go back."""
    return PaymentRefundCreated(**_refund(payment, refund), event_time=now, operator=SYSTEM)


def refund_succeeded(payment: Payment, refund: Refund, *, reference: str, now: datetime) -> PaymentRefundSucceeded:
    """The money is back."""
    return PaymentRefundSucceeded(
        **_refund(payment, refund), channel_reference=reference, event_time=now, operator=SYSTEM
    )


def refund_failed(payment: Payment, refund: Refund, *, code: str, now: datetime) -> PaymentRefundFailed:
    """The channel refused an attempt, counted in ``refund.attempts``."""
    return PaymentRefundFailed(
        **_refund(payment, refund), failure_code=code, attempt=refund.attempts, event_time=now, operator=SYSTEM
    )


def refund_given_up(payment: Payment, refund: Refund, *, now: datetime) -> AuditLogged:
    """The last attempt failed: people have to look."""
    return _logged(payment, refund, action="refund", outcome=AuditOutcome.FAILED, now=now, actor=SYSTEM)


def refund_asked_again(payment: Payment, refund: Refund, *, now: datetime, actor: str) -> AuditLogged:
    """People have looked, and have the channel asked once more."""
    return _logged(payment, refund, action="retry_refund", outcome=AuditOutcome.OK, now=now, actor=actor)


def _logged(
    payment: Payment, refund: Refund, *, action: str, outcome: AuditOutcome, now: datetime, actor: str
) -> AuditLogged:
    return AuditLogged(
        actor=actor,
        action=action,
        resource="payment",
        resource_id=str(payment.payment_id),
        source="payment",
        outcome=outcome,
        detail={"refund_id": str(refund.refund_id), "attempts": str(refund.attempts)},
        event_time=now,
        operator=actor,
    )


def booked(booking: Booking, *, now: datetime) -> AccountingTransactionCreated:
    """The ledger booked a transaction."""
    return AccountingTransactionCreated(
        transaction_id=booking.transaction_id,
        payment_id=booking.payment_id,
        kind=booking.kind,
        entries=[LedgerEntry(account=account, amount=amount) for account, amount in booking.entries],
        currency=booking.currency,
        event_time=now,
        operator=SYSTEM,
    )


def balance_updated(account: Account, *, currency: str, now: datetime) -> AccountingBalanceUpdated:
    """An account holds something else."""
    return AccountingBalanceUpdated(
        account=account.name,
        owner_id=account.owner_id,
        balance=account.balance,
        balance_version=account.version,
        currency=currency,
        event_time=now,
        operator=SYSTEM,
    )


def settlement_created(payment: Payment, *, fee: int, now: datetime) -> AccountingSettlementCreated:
    """A completed order is to be settled."""
    return AccountingSettlementCreated(**_settlement(payment, fee), event_time=now, operator=SYSTEM)


def settlement_completed(
    payment: Payment, *, fee: int, transaction_id: UUID, now: datetime
) -> AccountingSettlementCompleted:
    """The merchant has the money."""
    return AccountingSettlementCompleted(
        **_settlement(payment, fee), transaction_id=transaction_id, event_time=now, operator=SYSTEM
    )


def _payment(payment: Payment) -> dict[str, Any]:
    return {
        "payment_id": payment.payment_id,
        "payment_no": payment.payment_no,
        "merchant_id": payment.merchant_id,
        "order_id": payment.order_id,
        "payer_id": payment.payer_id,
        "amount": payment.amount,
        "currency": payment.currency,
        "status": payment.status,
        "metadata": dict(payment.metadata),
    }


def _refund(payment: Payment, refund: Refund) -> dict[str, Any]:
    return {
        "refund_id": refund.refund_id,
        "payment_id": payment.payment_id,
        "payment_no": payment.payment_no,
        "merchant_id": payment.merchant_id,
        "order_id": payment.order_id,
        "payer_id": payment.payer_id,
        "amount": payment.amount,
        "currency": payment.currency,
        "reason": refund.reason,
    }


def _settlement(payment: Payment, fee: int) -> dict[str, Any]:
    return {
        "settlement_id": settlement_id(payment.payment_id),
        "merchant_id": payment.merchant_id,
        "order_id": payment.order_id,
        "payment_id": payment.payment_id,
        "amount": payment.amount,
        "currency": payment.currency,
        "fee": fee,
    }
