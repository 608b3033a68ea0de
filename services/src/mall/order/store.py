"""Every query of the order service; sessions are passed in.

Locks are taken in one order, so that two transactions never wait for each other: the order's row, then stock by goods id.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from mall.order.domain import Listing, Order, Stock
from mall.order.tables import (
    STATUS_CODES,
    STATUS_OF,
    ListingRow,
    OrderHistoryRow,
    OrderLineRow,
    OrderRow,
    OrderViewRow,
    StockRow,
    TestEventRow,
)
from mall.upsert import insert
from mall_events.goods import GoodsStatus
from mall_events.order import OrderLine, OrderStatus


async def find_order(session: AsyncSession, order_id: int, *, lock: bool = False) -> OrderRow | None:
    """The order's row, locked until the transaction ends if asked for."""
    query = select(OrderRow).where(col(OrderRow.id) == order_id)
    return await session.scalar(query.with_for_update() if lock else query)


async def lines_of(session: AsyncSession, order_id: int) -> tuple[OrderLine, ...]:
    """The lines of an order, as ordered."""
    query = select(OrderLineRow).where(col(OrderLineRow.order_id) == order_id).order_by(col(OrderLineRow.number))
    return tuple(
        OrderLine(goods_id=row.goods_id, title=row.title, unit_price=row.unit_price, quantity=row.quantity)
        for row in await session.scalars(query)
    )


def order_of(row: OrderRow, lines: tuple[OrderLine, ...]) -> Order:
    """The row as decisions see it; the row must have been written."""
    if row.id is None:
        raise ValueError("The order was not written yet; flush the session first.")
    return Order(
        order_id=row.id,
        buyer_id=row.buyer_id,
        seller_id=row.seller_id,
        status=STATUS_OF[row.status],
        version=row.version,
        lines=lines,
        total=row.total,
        currency=row.currency,
        pay_before=row.pay_before,
        payment_id=row.payment_id,
        hold_until=row.hold_until,
        hold_payment_id=row.hold_payment_id,
        failed_payment_id=row.failed_payment_id,
        refund_requested=row.refund_requested,
    )


def add_lines(session: AsyncSession, order_id: int, lines: Iterable[OrderLine]) -> None:
    """Write the lines of a new order."""
    session.add_all(
        OrderLineRow(
            order_id=order_id,
            number=number,
            goods_id=line.goods_id,
            title=line.title,
            unit_price=line.unit_price,
            quantity=line.quantity,
        )
        for number, line in enumerate(lines, start=1)
    )


async def lock_stock(session: AsyncSession, goods_ids: Collection[int]) -> dict[int, StockRow]:
    """The stock rows, locked in the order of their goods ids."""
    query = select(StockRow).where(col(StockRow.goods_id).in_(goods_ids)).order_by(col(StockRow.goods_id))
    return {row.goods_id: row for row in await session.scalars(query.with_for_update())}


def stock_of(row: StockRow) -> Stock:
    """The row as decisions see it."""
    return Stock(
        goods_id=row.goods_id,
        available=row.available,
        reserved=row.reserved,
        sold=row.sold,
        beyond=row.beyond,
        version=row.version,
    )


async def listings(session: AsyncSession, goods_ids: Collection[int]) -> dict[int, Listing]:
    """What is known of these goods."""
    query = select(ListingRow).where(col(ListingRow.goods_id).in_(goods_ids))
    return {row.goods_id: _listing(row) for row in await session.scalars(query)}


def _listing(row: ListingRow) -> Listing:
    return Listing(
        goods_id=row.goods_id,
        seller_id=row.seller_id,
        title=row.title,
        price=row.price,
        currency=row.currency,
        status=GoodsStatus[row.status],
        version=row.version,
    )


async def overdue(session: AsyncSession, *, now: datetime, at_most: int) -> list[int]:
    """Unpaid orders past their deadline whose time-out nobody has announced yet, oldest first."""
    query = (
        select(col(OrderRow.id))
        .where(
            col(OrderRow.status) == STATUS_CODES[OrderStatus.PENDING_PAYMENT],
            col(OrderRow.pay_before) <= now,
            col(OrderRow.timeout_staged_at).is_(None),
        )
        .order_by(col(OrderRow.pay_before))
        .limit(at_most)
    )
    return [order_id for order_id in await session.scalars(query) if order_id is not None]


async def unconfirmed(session: AsyncSession, *, now: datetime, at_most: int) -> list[int]:
    """Shipped orders whose buyer has said nothing in time, oldest first."""
    query = (
        select(col(OrderRow.id))
        .where(
            col(OrderRow.status) == STATUS_CODES[OrderStatus.SHIPPED],
            col(OrderRow.confirm_before) <= now,
            col(OrderRow.refund_requested).is_(False),
        )
        .order_by(col(OrderRow.confirm_before))
        .limit(at_most)
    )
    return [order_id for order_id in await session.scalars(query) if order_id is not None]


async def view_page(
    session: AsyncSession, *, user_id: int, role: str, status: OrderStatus | None, before: int | None, size: int
) -> Sequence[OrderViewRow]:
    """Up to `size + 1` rows of a user's orders as `buyer` or `seller`, newest first."""
    mine = col(OrderViewRow.buyer_id) if role == "buyer" else col(OrderViewRow.seller_id)
    query = select(OrderViewRow).where(mine == user_id).order_by(col(OrderViewRow.order_id).desc()).limit(size + 1)
    if status is not None:
        query = query.where(col(OrderViewRow.status) == STATUS_CODES[status])
    if before is not None:
        query = query.where(col(OrderViewRow.order_id) < before)
    return list(await session.scalars(query))


async def history(session: AsyncSession, order_id: int) -> Sequence[OrderHistoryRow]:
    """The steps of an order, first to last."""
    query = select(OrderHistoryRow).where(col(OrderHistoryRow.order_id) == order_id)
    return list(await session.scalars(query.order_by(col(OrderHistoryRow.version))))


async def diagnostic(session: AsyncSession, event_id: UUID) -> TestEventRow:
    """The row of a diagnostic event, locked; it may be consumed before its sender hears of the ack: the first one writes it."""
    await session.execute(insert(session, TestEventRow).values(event_id=event_id).on_conflict_do_nothing())
    return await session.get_one(TestEventRow, event_id, with_for_update=True)


async def find_test_event(session: AsyncSession, event_id: UUID) -> TestEventRow | None:
    """The row of a diagnostic event, if it was sent or consumed."""
    return await session.get(TestEventRow, event_id)
