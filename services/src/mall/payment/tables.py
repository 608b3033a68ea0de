"""The payment service's tables."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, Index, MetaData, UniqueConstraint, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from mall.columns import Moment
from mall.idempotency import IdempotencyKeys
from mall.payment.domain import Account, Payment, Refund
from mall_events.payment import PaymentStatus

metadata = MetaData()
idempotency_keys = IdempotencyKeys(metadata)
LIVE = (PaymentStatus.CREATED.name, PaymentStatus.SUCCEEDED.name)
"""An order has at most one payment in these."""
_IS_LIVE = text("status IN ('CREATED', 'SUCCEEDED')")


class Tables(SQLModel, registry=registry(metadata=metadata)):
    """The tables of this service, apart from other services'."""


class PaymentRow(Tables, table=True):
    """One payment; `amount` in minor units. `charged_at`: the channel took the money; `settled_at`: the merchant has it."""

    __tablename__ = "payment"
    __table_args__ = (
        Index("payment_live", "order_id", unique=True, sqlite_where=_IS_LIVE, postgresql_where=_IS_LIVE),
        Index("payment_payer", "payer_id", "created_at"),
        CheckConstraint("amount > 0", name="payment_amount"),
    )

    payment_id: UUID = Field(primary_key=True)
    payment_no: str = Field(unique=True)
    order_id: int = Field(sa_type=BigInteger, index=True)
    merchant_id: int = Field(sa_type=BigInteger)
    payer_id: int = Field(sa_type=BigInteger)
    amount: int = Field(sa_type=BigInteger)
    currency: str
    method: str
    status: str
    kept: dict[str, str] = Field(default_factory=dict, sa_column=Column("metadata", JSON, nullable=False))
    channel_reference: str | None = None
    failure_code: str | None = None
    charged_at: datetime | None = Field(default=None, sa_type=Moment)
    settled_at: datetime | None = Field(default=None, sa_type=Moment)
    created_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)

    def take(self, payment: Payment, *, now: datetime) -> None:
        """Write what a decision changed."""
        self.status, self.updated_at = payment.status.name, now


class RefundRow(Tables, table=True):
    """The way back of a payment's money. `due_at`: the channel is asked then; `staged_at`: somebody was told to ask it."""

    __tablename__ = "refund"
    __table_args__ = (
        Index(
            "refund_due", "due_at", sqlite_where=text("due_at IS NOT NULL"), postgresql_where=text("due_at IS NOT NULL")
        ),
    )

    refund_id: UUID = Field(primary_key=True)
    payment_id: UUID = Field(unique=True, foreign_key="payment.payment_id")
    amount: int = Field(sa_type=BigInteger)
    currency: str
    reason: str
    attempts: int = 0
    due_at: datetime | None = Field(default=None, sa_type=Moment)
    staged_at: datetime | None = Field(default=None, sa_type=Moment)
    channel_reference: str | None = None
    failure_code: str | None = None
    created_at: datetime = Field(sa_type=Moment)
    paid_back_at: datetime | None = Field(default=None, sa_type=Moment)

    def take(self, refund: Refund) -> None:
        """Write what a decision changed; whoever was told to ask has asked."""
        self.attempts, self.due_at, self.staged_at = refund.attempts, refund.due_at, None


class SagaRow(Tables, table=True):
    """Where a payment's saga stands. `due_at`: when somebody has to look (the deadline, later a last question to the channel)."""

    __tablename__ = "saga"
    __table_args__ = (
        Index(
            "saga_due", "due_at", sqlite_where=text("due_at IS NOT NULL"), postgresql_where=text("due_at IS NOT NULL")
        ),
    )

    saga_id: UUID = Field(primary_key=True, foreign_key="payment.payment_id")
    state: str
    version: int = 0
    deadline: datetime = Field(sa_type=Moment)
    due_at: datetime | None = Field(default=None, sa_type=Moment)
    staged_at: datetime | None = Field(default=None, sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)


class LedgerAccountRow(Tables, table=True):
    """An account and what it holds, in minor units."""

    __tablename__ = "ledger_account"

    account: str = Field(primary_key=True)
    owner_id: int | None = Field(default=None, sa_type=BigInteger)
    currency: str
    balance: int = Field(default=0, sa_type=BigInteger)
    version: int = Field(default=0, sa_type=BigInteger)

    def take(self, account: Account) -> None:
        """Write what a booking changed."""
        self.balance, self.version = account.balance, account.version


class LedgerEntryRow(Tables, table=True):
    """One side of a transaction. A payment has one transaction of a kind: the table itself refuses a second charge."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        UniqueConstraint("payment_id", "kind", "account", name="ledger_entry_once"),
        CheckConstraint("amount <> 0", name="ledger_entry_amount"),
    )

    transaction_id: UUID = Field(primary_key=True)
    account: str = Field(primary_key=True, foreign_key="ledger_account.account")
    payment_id: UUID = Field(foreign_key="payment.payment_id")
    kind: str
    amount: int = Field(sa_type=BigInteger)
    currency: str
    booked_at: datetime = Field(sa_type=Moment)


class SettlementRow(Tables, table=True):
    """What a merchant is to get for a payment: OPEN (a receivable), CLOSED (nothing any more), BOOKED, COMPLETED."""

    __tablename__ = "settlement"

    settlement_id: UUID = Field(primary_key=True)
    payment_id: UUID = Field(unique=True, foreign_key="payment.payment_id")
    order_id: int = Field(sa_type=BigInteger, index=True)
    merchant_id: int = Field(sa_type=BigInteger)
    amount: int = Field(sa_type=BigInteger)
    fee: int = Field(default=0, sa_type=BigInteger)
    currency: str
    status: str
    opened_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)


class RiskCheckRow(Tables, table=True):
    """The verdict on a payment: for risk staff, never for merchants."""

    __tablename__ = "risk_check"

    check_id: UUID = Field(primary_key=True)
    payment_id: UUID = Field(unique=True, foreign_key="payment.payment_id")
    payer_id: int = Field(sa_type=BigInteger, index=True)
    score: int
    level: str
    rules: list[str] = Field(default_factory=list, sa_type=JSON)
    checked_at: datetime = Field(sa_type=Moment)


class PayableOrderRow(Tables, table=True):
    """A copy of an order, from its events: what it costs comes with OrderCreated, its status with every change."""

    __tablename__ = "payable_order"

    order_id: int = Field(primary_key=True, sa_type=BigInteger)
    buyer_id: int = Field(sa_type=BigInteger)
    seller_id: int = Field(sa_type=BigInteger)
    amount: int | None = Field(default=None, sa_type=BigInteger)
    currency: str | None = None
    pay_before: datetime | None = Field(default=None, sa_type=Moment)
    status: str
    version: int = Field(sa_type=BigInteger)


class SandboxChargeRow(Tables, table=True):
    """What the sandbox channel did: the other side's books, written in transactions of its own."""

    __tablename__ = "sandbox_charge"

    payment_id: UUID = Field(primary_key=True)
    amount: int = Field(sa_type=BigInteger)
    currency: str
    asked: int = 0
    charges: int = 0
    refund_asked: int = 0
    refunds: int = 0
