"""What the order service does about events, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from mall.order import store
from mall.order.handlers import handlers
from mall.order.tables import StockRow
from mall.order.timeout import announce, sweep, timeout_worker
from mall_events.audit import AuditLogged, AuditOutcome
from mall_events.goods import StockChanged
from mall_events.order import CancelReason, OrderCancelled, OrderTimedOut
from tests.mall.counter import Clock, Counter
from tests.mall.order.market import ADMIN, BUYER, LAMP, SELLER, goods, placed, stock_up
from treaty_runtime.delay.runner import JobContext


async def test_new_goods_open_a_stock_and_tell_it(orders: Counter) -> None:
    await orders.handle(handlers, goods(listed=5, counter=orders))
    (changed,) = orders.told.of(StockChanged)
    assert (changed.goods_id, changed.available, changed.stock_version, changed.order_id) == (LAMP, 5, 1, None)


async def test_goods_that_offer_fewer_than_are_reserved_have_none_left(orders: Counter) -> None:
    await stock_up(orders, listed=5)
    await placed(orders, quantity=4)
    orders.told.events.clear()
    await orders.handle(handlers, goods(version=2, listed=3, counter=orders))
    (changed,) = orders.told.of(StockChanged)
    assert changed.available == 0


async def test_pieces_of_a_timed_out_order_are_not_for_sale_beyond_what_the_seller_offers(
    orders: Counter, clock: Clock
) -> None:
    await stock_up(orders, listed=5)
    await placed(orders, quantity=3)
    clock.move(minutes=20)
    await placed(orders, quantity=2)
    await orders.handle(handlers, goods(version=2, listed=2, counter=orders))
    orders.told.events.clear()
    clock.move(minutes=10)
    await sweep(orders.desk)
    (timed_out,) = orders.told.of(OrderTimedOut)
    await orders.handle(handlers, timed_out)
    assert len(orders.told.of(OrderCancelled)) == 1
    assert orders.told.of(StockChanged) == []
    async with orders.desk.open() as work:
        row = (await store.lock_stock(work.session, [LAMP]))[LAMP]
        assert (row.available, row.reserved, row.beyond) == (0, 2, 0)


async def test_an_offer_of_fewer_than_are_ordered_is_answered_for_once(orders: Counter) -> None:
    await stock_up(orders, listed=5)
    await placed(orders, quantity=4)
    await orders.handle(handlers, goods(version=2, listed=4, changed=["listed_quantity"], counter=orders))
    assert orders.told.of(AuditLogged) == []
    await orders.handle(handlers, goods(version=3, listed=3, changed=["listed_quantity"], counter=orders))
    await orders.handle(handlers, goods(version=4, listed=3, changed=["title"], counter=orders))
    (told,) = orders.told.of(AuditLogged)
    assert (told.actor, told.resource_id, told.outcome) == (f"user:{SELLER}", str(LAMP), AuditOutcome.DENIED)
    assert told.detail == {"offered": "3", "ordered": "4"}


@pytest.mark.parametrize(
    "change",
    [{"available": -1, "listed": 4}, {"reserved": -1, "available": 6}, {"sold": 1}, {"listed": 6}, {"beyond": 1}],
)
async def test_the_table_refuses_pieces_that_are_not_there(orders: Counter, change: dict[str, int]) -> None:
    await stock_up(orders, listed=5)
    with pytest.raises(IntegrityError):
        async with orders.desk.open() as work:
            await work.session.execute(update(StockRow).where(col(StockRow.goods_id) == LAMP).values(change))


async def test_an_edit_that_offers_as_many_tells_no_stock(orders: Counter) -> None:
    await stock_up(orders, listed=5)
    await orders.handle(handlers, goods(version=2, listed=5, counter=orders))
    assert orders.told.events == []


async def test_an_overdue_order_is_announced_once_and_then_cancelled(orders: Counter, clock: Clock) -> None:
    await stock_up(orders)
    order = await placed(orders, quantity=2)
    assert await sweep(orders.desk) == 0
    clock.move(minutes=30)
    assert await sweep(orders.desk) == 1
    assert await sweep(orders.desk) == 0
    (timed_out,) = orders.told.of(OrderTimedOut)
    await orders.handle(handlers, timed_out)
    (cancelled,) = orders.told.of(OrderCancelled)
    assert cancelled.reason is CancelReason.PAYMENT_TIMEOUT
    assert cancelled.operator == "system:order"
    assert orders.told.of(StockChanged)[-1].available == 5
    answer = await orders.call("GET", f"/api/v1/orders/{order['order_id']}", user=BUYER)
    assert answer.json()["status"] == "CANCELLED"


async def test_a_job_that_is_due_announces_the_time_out_even_where_this_host_s_clock_is_behind(
    orders: Counter, clock: Clock
) -> None:
    await stock_up(orders)
    await placed(orders)
    (job,) = orders.told.jobs
    clock.move(minutes=29)
    async with orders.database.sessions.begin() as session:
        context = JobContext(session=session, attempt=1, stager=orders.told.stage, scheduler=orders.told.schedule)
        await timeout_worker(now=clock)(job, context)
    (timed_out,) = orders.told.of(OrderTimedOut)
    assert timed_out.pay_before == job.due
    await orders.handle(handlers, timed_out)
    assert len(orders.told.of(OrderCancelled)) == 1


async def test_the_sweeper_takes_more_than_one_look(orders: Counter, clock: Clock) -> None:
    await stock_up(orders)
    for _ in range(5):
        await placed(orders, quantity=1)
    clock.move(minutes=31)
    assert await sweep(orders.desk, at_once=2) == 5
    assert len(orders.told.of(OrderTimedOut)) == 5


async def test_a_time_out_that_meets_a_paid_order_changes_nothing(orders: Counter, clock: Clock) -> None:
    await stock_up(orders)
    order = await placed(orders)
    clock.move(minutes=30)
    await sweep(orders.desk)
    await orders.call("POST", f"/api/v1/orders/{order['order_id']}/mark-paid", user=ADMIN, admin=True)
    await orders.handle(handlers, orders.told.of(OrderTimedOut)[0])
    assert orders.told.of(OrderCancelled) == []


async def test_a_time_out_under_a_live_hold_waits_for_the_end_of_the_hold(orders: Counter, clock: Clock) -> None:
    await stock_up(orders)
    order_id = (await placed(orders))["order_id"]
    clock.move(minutes=30)
    await sweep(orders.desk)
    until = clock() + timedelta(minutes=5)
    async with orders.desk.open() as work:
        row = await store.find_order(work.session, order_id, lock=True)
        assert row is not None
        row.hold_until = until
    await orders.handle(handlers, orders.told.of(OrderTimedOut)[0])
    assert orders.told.of(OrderCancelled) == []
    assert orders.told.jobs[-1].due == until
    clock.move(minutes=5)
    async with orders.desk.open() as work:
        assert await announce(work, order_id=order_id)
    await orders.handle(handlers, orders.told.of(OrderTimedOut)[1])
    assert len(orders.told.of(OrderCancelled)) == 1


async def test_a_time_out_of_an_unknown_order_is_nothing(orders: Counter, clock: Clock) -> None:
    event = OrderTimedOut(order_id=7, buyer_id=BUYER, pay_before=clock(), event_time=clock())
    await orders.handle(handlers, event)
    assert orders.told.events == []
