"""Group `order-view`: the query side, a list entry per order and the steps of its life.

Law: a version is applied once and never goes back, so replays and duplicates change nothing.
"""

from __future__ import annotations

from mall.order.tables import STATUS_CODES, OrderHistoryRow, OrderViewRow
from mall_events.order import OrderCreated, OrderStatusChanged
from treaty_runtime.event import Context
from treaty_runtime.handlers import Handlers

handlers = Handlers()
on = handlers.on


@on(OrderCreated)
async def list_order(event: OrderCreated, context: Context) -> None:
    """Add the order to its buyer's and its seller's list."""
    session = context.session
    if await session.get(OrderViewRow, event.order_id) is None:
        session.add(_entry(event))
    await _remember(event, context)


@on(OrderStatusChanged)
async def follow_status(event: OrderStatusChanged, context: Context) -> None:
    """Show the newest status, and keep the step."""
    entry = await context.session.get(OrderViewRow, event.order_id)
    if entry is not None and event.order_version > entry.version:
        entry.status = STATUS_CODES[event.current_status]
        entry.version = event.order_version
        entry.updated_at = event.event_time
    await _remember(event, context)


def _entry(event: OrderCreated) -> OrderViewRow:
    return OrderViewRow(
        order_id=event.order_id,
        order_no=event.order_no,
        buyer_id=event.buyer_id,
        seller_id=event.seller_id,
        status=STATUS_CODES[event.current_status],
        version=event.order_version,
        title=event.lines[0].title if event.lines else "",
        pieces=sum(line.quantity for line in event.lines),
        total=event.total,
        currency=event.currency,
        created_at=event.event_time,
        updated_at=event.event_time,
    )


async def _remember(event: OrderCreated | OrderStatusChanged, context: Context) -> None:
    session = context.session
    if await session.get(OrderHistoryRow, (event.order_id, event.order_version)) is None:
        session.add(
            OrderHistoryRow(
                order_id=event.order_id,
                version=event.order_version,
                status=STATUS_CODES[event.current_status],
                at=event.event_time,
                operator=event.operator,
                note=event.note,
            )
        )
