"""Events as the cache sees them, and a way to hand them over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from mall.cache.handlers import cache_handlers
from mall.cache.store import CacheStore
from mall_events.goods import GoodsStatus, GoodsUpdated, GoodsViewed, StockChanged, ViewSource
from mall_events.order import CancelReason, OrderCancelled, OrderCreated, OrderLine
from tests.mall.counter import envelope
from treaty_runtime.event import Context, Event

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LAMP, BIKE = 501, 502


async def handle(store: CacheStore, event: Event, *, event_id: UUID | None = None) -> None:
    """Give an event to the cache's handler."""
    delivered = envelope(event, event_id=event_id or uuid4())
    context = Context(envelope=delivered, deadline=NOW + timedelta(minutes=1))
    await cache_handlers(store).events[type(event)].call(event, context)


def viewed(goods_id: int = LAMP, *, at: datetime = NOW) -> GoodsViewed:
    """Somebody looked at goods."""
    return GoodsViewed(goods_id=goods_id, session_id="s", source=ViewSource.DIRECT, event_time=at)


def ordered(*lines: tuple[int, int], at: datetime = NOW) -> OrderCreated:
    """An order of (goods, quantity) lines."""
    return OrderCreated(
        order_id=1,
        order_no="1",
        buyer_id=10,
        seller_id=20,
        lines=_lines(lines),
        total=Decimal("1.00"),
        pay_before=at,
        event_time=at,
    )


def cancelled(*lines: tuple[int, int], at: datetime = NOW) -> OrderCancelled:
    """The same order, cancelled."""
    reason = CancelReason.BUYER_REQUEST
    return OrderCancelled(order_id=1, buyer_id=10, seller_id=20, reason=reason, lines=_lines(lines), event_time=at)


def updated(*, version: int, title: str = "Lamp", status: GoodsStatus = GoodsStatus.ON_SALE) -> GoodsUpdated:
    """A version of the lamp."""
    return GoodsUpdated(
        goods_id=LAMP,
        goods_version=version,
        seller_id=20,
        title=title,
        description="",
        category="home",
        price=Decimal("3.50"),
        status=status,
        listed_quantity=5,
        event_time=NOW,
    )


def stock(available: int, *, version: int) -> StockChanged:
    """What is left of the lamp."""
    return StockChanged(goods_id=LAMP, available=available, stock_version=version, event_time=NOW)


def _lines(lines: tuple[tuple[int, int], ...]) -> list[OrderLine]:
    return [
        OrderLine(goods_id=goods_id, title="Lamp", unit_price=Decimal("1.00"), quantity=quantity)
        for goods_id, quantity in lines
    ]
