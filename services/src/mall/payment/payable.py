"""Follows orders: the copy that payments are made from.

Law: the newest version decides about the status, whichever event of the order comes first.
"""

from __future__ import annotations

from mall.columns import to_minor
from mall.payment import store
from mall.payment.tables import PayableOrderRow
from mall.work import Work
from mall_events.order import OrderCreated, OrderStatusChanged


async def take_order(work: Work, *, order: OrderCreated) -> None:
    """Learn what an order costs and until when it may be paid."""
    row = await _row(work, order.order_id, order)
    row.amount, row.currency, row.pay_before = to_minor(order.total), order.currency, order.pay_before


async def take_status(work: Work, *, change: OrderStatusChanged) -> None:
    """Learn that an order moved on."""
    row = await _row(work, change.order_id, change)
    if change.order_version > row.version:
        row.status, row.version = change.current_status.name, change.order_version


async def _row(work: Work, order_id: int, event: OrderCreated | OrderStatusChanged) -> PayableOrderRow:
    row = await store.find_payable(work.session, order_id, lock=True)
    if row is None:
        row = PayableOrderRow(
            order_id=order_id,
            buyer_id=event.buyer_id,
            seller_id=event.seller_id,
            status=event.current_status.name,
            version=event.order_version,
        )
        work.session.add(row)
    return row
