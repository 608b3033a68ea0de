"""Handlers of the services under the runtime's own consumer: retries, crashes and redeliveries change nothing twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import MetaData, func, select

from mall.chat.handlers import handlers as chat_handlers
from mall.chat.tables import ListingRow as ChatListingRow
from mall.chat.tables import metadata as chat_tables
from mall.database import Database, open_database
from mall.notification.handlers import inbox_handlers
from mall.notification.inbox import Readership
from mall.notification.tables import NotificationRow
from mall.notification.tables import metadata as notification_tables
from mall.order.handlers import handlers as order_handlers
from mall.order.tables import OrderViewRow, StockRow
from mall.order.tables import metadata as order_tables
from mall.order.view import handlers as view_handlers
from mall_events import EVENTS
from mall_events.goods import GoodsStatus, GoodsUpdated, StockChanged
from mall_events.notification import UserNotified
from mall_events.order import OrderCreated, OrderLine, OrderStatus, OrderStatusChanged
from treaty_runtime.handlers import Handlers
from treaty_runtime.testing import Harness

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GOODS = GoodsUpdated(
    goods_id=501,
    goods_version=1,
    seller_id=20,
    title="Lamp",
    description="",
    category="home",
    price=Decimal("3.50"),
    status=GoodsStatus.ON_SALE,
    listed_quantity=5,
    event_time=NOW,
)
CREATED = OrderCreated(
    order_id=9007199254740993,
    order_no="20260301-9007199254740993",
    buyer_id=10,
    seller_id=20,
    lines=[OrderLine(goods_id=501, title="Lamp", unit_price=Decimal("3.50"), quantity=2)],
    total=Decimal("7.00"),
    pay_before=NOW,
    event_time=NOW,
)
PAID = OrderStatusChanged(
    order_id=CREATED.order_id,
    buyer_id=10,
    seller_id=20,
    previous_status=OrderStatus.PENDING_PAYMENT,
    current_status=OrderStatus.PAID,
    order_version=2,
    event_time=NOW,
)


@asynccontextmanager
async def running(
    service: str, url: str, metadata: MetaData, handlers: Handlers
) -> AsyncIterator[tuple[Harness, Database]]:
    database = open_database(service, url)
    await database.create(metadata)
    harness = Harness(handlers, sessions=database.sessions, start=NOW)
    # The harness knows the ids of handled classes only; what handlers stage would wait for an id for ever.
    harness._classes.update(EVENTS.values())
    async with harness:
        yield harness, database
    await database.engine.dispose()


async def count(database: Database, table: type[object]) -> int:
    async with database.sessions() as session:
        return int(await session.scalar(select(func.count()).select_from(table)) or 0)


@pytest.mark.parametrize("failures", [0, 2])
async def test_new_goods_open_one_stock_and_are_told_once(database_url: str, failures: int) -> None:
    async with running("order", database_url, order_tables, order_handlers) as (harness, database):
        if failures:
            harness.fail(GoodsUpdated, times=failures)
        await harness.publish(GOODS)
        await harness.advance(minutes=5)
        await harness.crash()
        await harness.publish(GOODS)
        await harness.settle()
        assert await count(database, StockRow) == 1
        (told,) = harness.published(StockChanged)
        assert (told.goods_id, told.available, told.stock_version) == (501, 5, 1)
        assert harness.dead_letters == []


async def test_the_view_follows_an_order_through_redeliveries(database_url: str) -> None:
    async with running("order", database_url, order_tables, view_handlers) as (harness, database):
        for event in (CREATED, PAID, CREATED, PAID):
            await harness.publish(event)
        await harness.settle()
        assert await count(database, OrderViewRow) == 1
        async with database.sessions() as session:
            row = await session.get_one(OrderViewRow, CREATED.order_id)
        assert (row.status, row.version, row.total) == (1, 2, Decimal("7.00"))


async def test_an_order_is_told_to_both_sides_once_even_after_a_crash(database_url: str) -> None:
    async with running("notification", database_url, notification_tables, inbox_handlers(Readership(locale="en"))) as (
        harness,
        database,
    ):
        harness.fail(OrderCreated, times=1)
        await harness.publish(CREATED)
        await harness.advance(minutes=1)
        await harness.crash()
        await harness.settle()
        assert await count(database, NotificationRow) == 2
        assert [(told.user_id, told.sequence) for told in harness.published(UserNotified)] in (
            [(10, 1), (20, 1)],
            [(20, 1), (10, 1)],
        )


async def test_a_database_outage_delays_and_loses_nothing(database_url: str) -> None:
    async with running("chat", database_url, chat_tables, chat_handlers) as (harness, database):
        with harness.outage("database"):
            await harness.publish(GOODS)
            await harness.advance(minutes=10)
            assert await count(database, ChatListingRow) == 0
        await harness.advance(minutes=1)
        assert await count(database, ChatListingRow) == 1
        assert harness.dead_letters == []
