"""Random orders and payments over both services: paid or cancelled, money conserved, nothing stuck, nothing twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from mall.order import store as order_store
from mall.order.tables import STATUS_OF, OrderRow
from mall.payment.tables import PaymentRow, SagaRow, SandboxChargeRow
from mall_events.order import OrderStatus
from tests.mall.counter import Tokens
from tests.mall.order.market import LAMP
from tests.mall.payment.two_services import TwoServices, opened_services

ORDERS = 25


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_everything_ends_and_no_money_is_lost(tmp_path: Path, tokens: Tokens, seed: int) -> None:
    rng = Random(seed)
    urls = [f"sqlite:///{tmp_path / name}.sqlite" for name in ("order", "payment")]
    async with opened_services(*urls, tokens=tokens, rng=rng) as mall:
        waiting = [await mall.new_order(quantity=rng.choice((1, 2, 3, 4, 10, 29))) for _ in range(ORDERS)]
        for _ in range(8 * ORDERS):
            await mall.step(rng.choice(waiting))
            if rng.random() < 0.5:
                await mall.deliver_some(rng.random())
            mall.clock.move(seconds=rng.choice((1, 5, 60)))
            sums = await mall.shop.conservation()
            assert sums["difference"] == 0
        await mall.let_everything_end()
        await assert_all_is_well(mall)


async def assert_all_is_well(mall: TwoServices) -> None:
    async with mall.shop.counter.desk.look() as session:
        payments = list(await session.scalars(select(PaymentRow)))
        sagas = {row.saga_id: row for row in await session.scalars(select(SagaRow))}
        channel = {row.payment_id: row for row in await session.scalars(select(SandboxChargeRow))}
    async with mall.orders.desk.look() as session:
        orders = {row.id or 0: row for row in await session.scalars(select(OrderRow))}
        stock = (await order_store.lock_stock(session, [LAMP]))[LAMP]
    assert Counter(row.status for row in payments).keys() <= {"SUCCEEDED", "FAILED", "CANCELLED", "REFUNDED"}
    assert {row.state for row in sagas.values()} <= {"COMPLETED", "COMPENSATED"}
    assert [row for row in sagas.values() if row.due_at is not None] == []
    for row in payments:
        told = channel.get(row.payment_id)
        charged, paid_back = (told.charges, told.refunds) if told else (0, 0)
        assert (charged - paid_back) == (row.status == "SUCCEEDED"), row
    kept = Counter(row.order_id for row in payments if row.status == "SUCCEEDED")
    assert max(kept.values(), default=0) <= 1
    for order_id, order in orders.items():
        status = STATUS_OF[order.status]
        assert status is not OrderStatus.PENDING_PAYMENT
        by_payment = any(row.payment_id == order.payment_id for row in payments)
        is_paid = status in (OrderStatus.PAID, OrderStatus.SHIPPED, OrderStatus.COMPLETED)
        assert kept[order_id] == (is_paid and by_payment), (order, status)
    assert (stock.reserved, stock.available + stock.sold) == (0, 10_000)
    sums = await mall.shop.conservation()
    assert sums["difference"] == 0
    charged = sum(row.amount * (row.charges - row.refunds) for row in channel.values())
    assert charged == sums["charged"] - sums["refunded"]
