"""Orders as clients see them. Amounts are decimal texts; ids are whole numbers above 2^53."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel

from mall import cursors
from mall.order.domain import order_no
from mall.order.tables import STATUS_OF, OrderHistoryRow, OrderRow, OrderViewRow
from mall_events.order import OrderLine


class LineAnswer(BaseModel):
    """One line, as ordered."""

    goods_id: int
    title: str
    unit_price: Decimal
    quantity: int


class OrderAnswer(BaseModel):
    """One order."""

    order_id: int
    order_no: str
    buyer_id: int
    seller_id: int
    status: str
    version: int
    lines: list[LineAnswer]
    total: Decimal
    currency: str
    pay_before: datetime
    payment_id: UUID | None
    refund_requested: bool
    note: str | None
    shipping_address: str | None
    created_at: datetime
    updated_at: datetime


class OrderEntry(BaseModel):
    """An order in a list."""

    order_id: int
    order_no: str
    buyer_id: int
    seller_id: int
    status: str
    version: int
    title: str
    pieces: int
    total: Decimal
    currency: str
    created_at: datetime
    updated_at: datetime


class OrderPage(BaseModel):
    """A page of orders; `next_cursor` is null on the last one."""

    orders: list[OrderEntry]
    next_cursor: str | None


class HistoryStep(BaseModel):
    """One step in an order's life."""

    version: int
    status: str
    at: datetime
    operator: str | None
    note: str | None


class HistoryAnswer(BaseModel):
    """All steps of an order."""

    order_id: int
    steps: list[HistoryStep]


def order_answer(row: OrderRow, lines: Sequence[OrderLine]) -> OrderAnswer:
    """The order of a written row."""
    order_id = row.id or 0
    return OrderAnswer(
        **row.model_dump(include=set(OrderAnswer.model_fields) - {"status"}),
        order_id=order_id,
        order_no=order_no(order_id, placed_at=row.created_at),
        status=STATUS_OF[row.status].name,
        lines=[
            LineAnswer(goods_id=line.goods_id, title=line.title, unit_price=line.unit_price, quantity=line.quantity)
            for line in lines
        ],
    )


def list_answer(rows: Sequence[OrderViewRow], *, size: int) -> OrderPage:
    """A page, given up to `size + 1` rows."""
    shown, next_cursor = cursors.page(rows, size=size, id_of=lambda row: row.order_id)
    entries = [OrderEntry(**row.model_dump(exclude={"status"}), status=STATUS_OF[row.status].name) for row in shown]
    return OrderPage(orders=entries, next_cursor=next_cursor)


def history_answer(order_id: int, rows: Sequence[OrderHistoryRow]) -> HistoryAnswer:
    """The steps of an order."""
    steps = [
        HistoryStep(**row.model_dump(exclude={"order_id", "status"}), status=STATUS_OF[row.status].name) for row in rows
    ]
    return HistoryAnswer(order_id=order_id, steps=steps)
