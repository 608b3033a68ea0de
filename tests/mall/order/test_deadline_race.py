"""Payments and time-outs that meet at the deadline, truly at once: paid or cancelled, and a late charge is asked back."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from random import Random
from uuid import uuid4

import pytest
from sqlalchemy import select

from mall.order import store, timeout
from mall.order.handlers import handlers
from mall.order.tables import STATUS_OF, OrderRow
from mall_events.order import OrderCancelled, OrderPaid, OrderStatus, OrderTimedOut
from mall_events.saga import PaymentSagaCompensationRequested
from tests.mall.counter import Clock
from tests.mall.counter import Counter as Service
from tests.mall.order.market import LAMP, placed, stock_up
from tests.mall.order.test_paying import started, succeeded
from treaty_runtime.event import Event

AT_ONCE = 4


@pytest.mark.parametrize("how_many", [24, pytest.param(1_000, marks=[pytest.mark.long, pytest.mark.timeout(900)])])
async def test_at_the_deadline_an_order_is_paid_or_cancelled_and_never_both(
    orders: Service, clock: Clock, how_many: int
) -> None:
    rng = Random(how_many)
    await stock_up(orders, listed=2 * how_many)
    waiting = [int((await placed(orders))["order_id"]) for _ in range(how_many)]
    clock.move(minutes=30, milliseconds=-50)
    letters = [letter for order_id in waiting for letter in at_the_deadline(orders, order_id, clock, rng)]
    for number in range(0, len(letters), 3 * AT_ONCE):
        group = letters[number : number + 3 * AT_ONCE]
        rng.shuffle(group)
        await asyncio.gather(*(orders.handle(handlers, event) for event in group))
    clock.move(minutes=6)
    await timeout.sweep(orders.desk)
    for event in orders.told.of(OrderTimedOut):
        await orders.handle(handlers, event)

    async with orders.desk.look() as session:
        rows = {row.id or 0: row for row in await session.scalars(select(OrderRow))}
        stock = (await store.lock_stock(session, [LAMP]))[LAMP]
    statuses = Counter(STATUS_OF[row.status] for row in rows.values())
    assert statuses.keys() <= {OrderStatus.PAID, OrderStatus.CANCELLED}
    paid, cancelled = statuses[OrderStatus.PAID], statuses[OrderStatus.CANCELLED]
    assert (stock.available, stock.reserved, stock.sold) == (2 * cancelled, 0, 2 * paid)
    assert len(orders.told.of(OrderPaid)) == paid
    assert len(orders.told.of(OrderCancelled)) == cancelled
    asked_back = {event.order_id for event in orders.told.of(PaymentSagaCompensationRequested)}
    assert asked_back == {order_id for order_id, row in rows.items() if STATUS_OF[row.status] is OrderStatus.CANCELLED}
    print(f"{how_many} orders: {paid} paid, {cancelled} cancelled and asked back")


def at_the_deadline(orders: Service, order_id: int, clock: Clock, rng: Random) -> list[Event]:
    """A payment's start and success, and the time-out, each within 50 ms of the deadline."""
    now, payment_id = clock(), uuid4()
    times = [now + timedelta(milliseconds=rng.uniform(0, 100)) for _ in range(3)]
    saga = started(orders, order_id, payment_id)
    paid = succeeded(orders, order_id, payment_id)
    deadline = now + timedelta(milliseconds=50)
    over = OrderTimedOut(order_id=order_id, buyer_id=10, pay_before=deadline, event_time=deadline)
    return [
        replace(saga, event_time=times[0]),
        replace(paid, event_time=times[1]),
        replace(over, event_time=max(deadline, times[2])),
    ]
