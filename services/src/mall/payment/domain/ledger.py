"""What is booked when money moves.

Law 1: the entries of a booking sum to zero.
Law 2: charged - refunded = clearing + settled + fees, after every booking.
Law 3: a payment is charged, refunded and settled at most once each; the table's keys hold it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID, uuid5

from mall.payment.domain.saga import Payment
from mall_events.accounting import TransactionKind
from mall_events.payment import PaymentStatus

CLEARING, FEES = "clearing", "fees"
BPS = 10_000
"""Basis points of a whole."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account and what it holds, in minor units; the version counts its bookings."""

    name: str
    balance: int = 0
    version: int = 0

    @property
    def owner_id(self) -> int | None:
        """The user whose account it is; None for the platform's own."""
        _, _, owner = self.name.partition(":")
        return int(owner) if owner else None

    @property
    def is_told(self) -> bool:
        """Whether its balance is published: a payer's is not."""
        return not self.name.startswith("payer:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """A transaction of the ledger: what each account gains (positive) or loses; one of a kind per payment."""

    payment_id: UUID
    kind: TransactionKind
    currency: str
    entries: tuple[tuple[str, int], ...]

    @property
    def transaction_id(self) -> UUID:
        """The same for the same booking, so that booking again is seen."""
        return uuid5(self.payment_id, self.kind.name)


def payer(user_id: int) -> str:
    """The account of who pays."""
    return f"payer:{user_id}"


def merchant(user_id: int) -> str:
    """The account of who sells."""
    return f"merchant:{user_id}"


MOVES = {
    (PaymentStatus.CREATED, PaymentStatus.SUCCEEDED): TransactionKind.CHARGE,
    (PaymentStatus.CANCELLED, PaymentStatus.REFUNDING): TransactionKind.CHARGE,
    (PaymentStatus.REFUNDING, PaymentStatus.REFUNDED): TransactionKind.REFUND,
}
"""Which transitions of a payment move money; a late charge is booked with the decision to pay it back."""


def booking_of(before: PaymentStatus, after: Payment) -> Booking | None:
    """What is booked in the transaction of a transition: a charge is held in clearing, a refund is the charge reversed."""
    kind = MOVES.get((before, after.status))
    if kind is None:
        return None
    held = after.amount if kind is TransactionKind.CHARGE else -after.amount
    return _booking(after, kind, (payer(after.payer_id), -held), (CLEARING, held))


def settlement_booking(payment: Payment, *, fee: int) -> Booking:
    """The order is completed: the merchant gets what is held, less the fee. An entry is never 0."""
    gains = ((merchant(payment.merchant_id), payment.amount - fee), (FEES, fee))
    entries = ((CLEARING, -payment.amount), *(entry for entry in gains if entry[1]))
    return _booking(payment, TransactionKind.SETTLEMENT, *entries)


def fee_of(amount: int, *, bps: int) -> int:
    """What the platform keeps of an amount, rounded down. ``bps``: hundredths of a percent, 0 to 10,000."""
    return amount * bps // BPS


def balance_after(account: Account, amount: int) -> Account:
    """The account after one entry."""
    return replace(account, balance=account.balance + amount, version=account.version + 1)


def _booking(payment: Payment, kind: TransactionKind, *entries: tuple[str, int]) -> Booking:
    return Booking(payment_id=payment.payment_id, kind=kind, currency=payment.currency, entries=entries)
