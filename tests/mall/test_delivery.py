"""Handlers of the services under the runtime's own consumer: retries, crashes and redeliveries change nothing twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import MetaData, func, select

from mall.chat.handlers import handlers as chat_handlers
from mall.chat.tables import ListingRow as ChatListingRow
from mall.chat.tables import metadata as chat_tables
from mall.database import Database, open_database
from mall.notification.delivering import mail_handlers
from mall.notification.handlers import inbox_handlers
from mall.notification.inbox import Readership
from mall.notification.smtp import SmtpMail
from mall.notification.tables import DeliveryRow, NotificationRow
from mall.notification.tables import metadata as notification_tables
from mall.order.handlers import handlers as order_handlers
from mall.order.tables import OrderViewRow, StockRow
from mall.order.tables import metadata as order_tables
from mall.order.view import handlers as view_handlers
from mall.user.handlers import handlers as user_handlers
from mall.user.tables import ProfileRow, UserRow
from mall.user.tables import metadata as user_tables
from mall_events import EVENTS
from mall_events.goods import GoodsStatus, GoodsUpdated, StockChanged
from mall_events.notification import EmailRequested, UserNotified
from mall_events.order import OrderCreated, OrderLine, OrderStatus, OrderStatusChanged
from mall_events.user import UserActivityRecorded, UserRegistered
from tests.parts.waiting import DEADLINE
from treaty.local.smtp import MailSink
from treaty_runtime.handlers import Handlers
from treaty_runtime.testing import Harness

pytestmark = pytest.mark.long

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


async def test_a_registration_is_followed_once_even_after_a_crash(database_url: str) -> None:
    async with running("user", database_url, user_tables, user_handlers) as (harness, database):
        async with database.sessions.begin() as session:
            row = UserRow(
                username="anna",
                username_key="anna",
                email="anna@example.com",
                locale="en",
                password_hash="x",
                created_at=NOW,
                updated_at=NOW,
            )
            session.add(row)
            await session.flush()
            user_id = row.id or 0
        joined = UserRegistered(user_id=user_id, username="anna", email="anna@example.com", locale="en", event_time=NOW)
        harness.fail(UserRegistered, times=1)
        await harness.publish(joined)
        await harness.advance(minutes=1)
        await harness.crash()
        await harness.settle()
        assert await count(database, ProfileRow) == 1
        assert [mail.template for mail in harness.published(EmailRequested)] == ["welcome"]
        assert len(harness.published(UserActivityRecorded)) == 1


async def test_a_mail_server_that_is_away_delays_mails_and_loses_none(
    database_url: str, port: int, tmp_path: Path
) -> None:
    mail = EmailRequested(
        notification_key="k:welcome:7",
        user_id=7,
        to_address="anna@example.com",
        template="welcome",
        locale="en",
        parameters={"username": "anna"},
        event_time=NOW,
    )
    handlers = mail_handlers(SmtpMail(host="127.0.0.1", port=port, seconds=DEADLINE))
    async with running("notification", database_url, notification_tables, handlers) as (harness, database):
        await harness.publish(mail)
        await harness.advance(minutes=2)
        assert harness.dead_letters == []
        assert await count(database, DeliveryRow) == 0
        with MailSink(tmp_path / "mail", smtp_port=port, http_port=0) as sink:
            await harness.advance(minutes=1)
            await harness.crash()
            await harness.settle()
            assert [each.recipients for each in sink.folder.mails()] == [("anna@example.com",)]
        assert await count(database, DeliveryRow) == 1
        assert harness.dead_letters == []
