"""The order service's tables."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    Identity,
    Index,
    MetaData,
    Table,
    event,
    text,
)
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from mall.columns import BigId, Moment, Money
from mall.idempotency import IdempotencyKeys
from mall.order.domain import Order, Stock
from mall_events.order import OrderStatus

metadata = MetaData()
idempotency_keys = IdempotencyKeys(metadata)
FIRST_ORDER_ID = 2**53 + 1
"""Larger than a double can tell apart: a client that reads ids as doubles shows itself at once."""

STATUS_CODES = {
    OrderStatus.PENDING_PAYMENT: 0,
    OrderStatus.PAID: 1,
    OrderStatus.SHIPPED: 2,
    OrderStatus.COMPLETED: 3,
    OrderStatus.CANCELLED: -1,
    OrderStatus.REFUNDED: -2,
}
STATUS_OF = {code: status for status, code in STATUS_CODES.items()}


class Tables(SQLModel, registry=registry(metadata=metadata)):
    """The tables of this service, apart from other services'."""


class OrderRow(Tables, table=True):
    """One order."""

    __tablename__ = "orders"
    __table_args__ = (
        Index("orders_unpaid", "pay_before", sqlite_where=text("status = 0"), postgresql_where=text("status = 0")),
        Index("orders_shipped", "confirm_before", sqlite_where=text("status = 2"), postgresql_where=text("status = 2")),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, sa_column=Column(BigId, Identity(start=FIRST_ORDER_ID), primary_key=True))
    buyer_id: int = Field(sa_type=BigInteger)
    seller_id: int = Field(sa_type=BigInteger)
    status: int = 0
    version: int = Field(default=1, sa_type=BigInteger)
    total: Decimal = Field(sa_type=Money)
    currency: str
    pay_before: datetime = Field(sa_type=Moment)
    timeout_staged_at: datetime | None = Field(default=None, sa_type=Moment)
    payment_id: UUID | None = None
    hold_until: datetime | None = Field(default=None, sa_type=Moment)
    hold_payment_id: UUID | None = None
    failed_payment_id: UUID | None = None
    confirm_before: datetime | None = Field(default=None, sa_type=Moment)
    refund_requested: bool = False
    note: str | None = None
    shipping_address: str | None = None
    created_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)

    def take(self, order: Order, *, now: datetime) -> None:
        """Write what a decision changed."""
        self.status = STATUS_CODES[order.status]
        self.version = order.version
        self.payment_id = order.payment_id
        self.hold_until, self.hold_payment_id = order.hold_until, order.hold_payment_id
        self.failed_payment_id, self.refund_requested = order.failed_payment_id, order.refund_requested
        self.updated_at = now


class OrderLineRow(Tables, table=True):
    """One line of an order, as ordered."""

    __tablename__ = "order_line"

    order_id: int = Field(primary_key=True, foreign_key="orders.id", sa_type=BigInteger)
    number: int = Field(primary_key=True)
    goods_id: int = Field(sa_type=BigInteger)
    title: str
    unit_price: Decimal = Field(sa_type=Money)
    quantity: int


class StockRow(Tables, table=True):
    """Pieces of goods; `listed` stands beside its parts so that the table itself holds the invariant."""

    __tablename__ = "stock"
    __table_args__ = (
        CheckConstraint("available >= 0 AND reserved >= 0 AND sold >= 0", name="stock_not_negative"),
        CheckConstraint("available + reserved + sold = listed", name="stock_conserved"),
        CheckConstraint("beyond = 0 OR (beyond > 0 AND available = 0)", name="stock_offered"),
    )

    goods_id: int = Field(primary_key=True, sa_type=BigInteger)
    available: int
    reserved: int
    sold: int
    listed: int
    beyond: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    version: int = Field(sa_type=BigInteger)

    def take(self, stock: Stock) -> None:
        """Write what a decision changed."""
        self.available, self.reserved, self.sold = stock.available, stock.reserved, stock.sold
        self.listed, self.beyond, self.version = stock.listed, stock.beyond, stock.version


class ListingRow(Tables, table=True):
    """A copy of goods, from GoodsUpdated."""

    __tablename__ = "listing"

    goods_id: int = Field(primary_key=True, sa_type=BigInteger)
    seller_id: int = Field(sa_type=BigInteger)
    title: str
    price: Decimal = Field(sa_type=Money)
    currency: str
    status: str
    version: int = Field(sa_type=BigInteger)


class OrderViewRow(Tables, table=True):
    """An order as lists show it: the query side, written by group `order-view`."""

    __tablename__ = "order_view"
    __table_args__ = (
        Index("order_view_buyer", "buyer_id", "order_id"),
        Index("order_view_seller", "seller_id", "order_id"),
    )

    order_id: int = Field(primary_key=True, sa_type=BigInteger)
    order_no: str
    buyer_id: int = Field(sa_type=BigInteger)
    seller_id: int = Field(sa_type=BigInteger)
    status: int
    version: int = Field(sa_type=BigInteger)
    title: str
    pieces: int
    total: Decimal = Field(sa_type=Money)
    currency: str
    created_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)


class OrderHistoryRow(Tables, table=True):
    """One step in the life of an order."""

    __tablename__ = "order_history"

    order_id: int = Field(primary_key=True, sa_type=BigInteger)
    version: int = Field(primary_key=True, sa_type=BigInteger)
    status: int
    at: datetime = Field(sa_type=Moment)
    operator: str | None = None
    note: str | None = None


class TestEventRow(Tables, table=True):
    """A diagnostic event that was sent, consumed, or both: whichever side comes first writes the row."""

    __tablename__ = "test_event"
    __test__ = False  # pytest would take the name for a test

    event_id: UUID = Field(primary_key=True)
    user_id: int | None = Field(default=None, sa_type=BigInteger)
    sent_at: datetime | None = Field(default=None, sa_type=Moment)
    consumed_at: datetime | None = Field(default=None, sa_type=Moment)


@event.listens_for(metadata.tables["orders"], "after_create")
def _count_from_first_id(_table: Table, connection: Connection, **_: object) -> None:
    # SQLite counts from the largest id it remembers; Postgres has it from Identity above.
    if connection.dialect.name == "sqlite":
        remember = text("INSERT INTO sqlite_sequence (name, seq) VALUES ('orders', :last)")
        connection.execute(remember, {"last": FIRST_ORDER_ID - 1})
