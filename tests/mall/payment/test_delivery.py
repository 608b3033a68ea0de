"""The payment service's handlers under the runtime's own consumer: retries, crashes and redeliveries move money once."""

from __future__ import annotations

import pytest

from mall.payment.tables import SandboxChargeRow
from mall_events.accounting import AccountingTransactionCreated
from mall_events.payment import PaymentRefundCreated, PaymentRefundSucceeded, PaymentSucceeded
from mall_events.saga import CompensationStep, PaymentSagaCompensationRequested, PaymentSagaStarted
from tests.mall.counter import Clock
from tests.mall.payment.shop import ORDER, Shop
from treaty_runtime.testing import Harness

pytestmark = pytest.mark.long


async def test_a_silent_channel_is_asked_again_and_the_charge_is_told_once(shop: Shop, clock: Clock) -> None:
    payment_id = await shop.pay(total="1.14")
    (started,) = shop.counter.told.of(PaymentSagaStarted)
    async with Harness(shop.adapter, sessions=shop.counter.database.sessions, start=clock()) as harness:
        await harness.publish(started)
        await harness.advance(minutes=2)
        await harness.crash()
        await harness.publish(started)
        await harness.advance(minutes=2)
        assert [told.payment_id for told in harness.published(PaymentSucceeded)] == [payment_id]
        assert len(harness.published(AccountingTransactionCreated)) == 1
        assert harness.dead_letters == []
    async with shop.counter.desk.look() as session:
        row = await session.get_one(SandboxChargeRow, payment_id)
    assert (row.charges, row.asked) == (1, 2)


async def test_a_compensation_that_is_interrupted_anywhere_pays_back_once(shop: Shop, clock: Clock) -> None:
    payment_id = await shop.pay()
    await shop.deliver()
    asked = PaymentSagaCompensationRequested(
        saga_id=payment_id,
        payment_id=payment_id,
        order_id=ORDER,
        step=CompensationStep.ORDER,
        reason="refund_requested",
        event_time=clock(),
    )
    async with Harness(shop.gateway, sessions=shop.counter.database.sessions, start=clock()) as harness:
        harness.fail(PaymentSagaCompensationRequested, times=2)
        for _ in range(3):
            await harness.publish(asked)
        await harness.advance(minutes=2)
        await harness.crash()
        await harness.advance(minutes=2)
        (created,), (done,) = harness.published(PaymentRefundCreated), harness.published(PaymentRefundSucceeded)
        assert created.refund_id == done.refund_id
        assert harness.dead_letters == []
    assert (await shop.conservation())["refunded"] == 1234


async def test_nothing_happens_while_the_database_is_away_and_everything_afterwards(shop: Shop, clock: Clock) -> None:
    payment_id = await shop.pay()
    (started,) = shop.counter.told.of(PaymentSagaStarted)
    async with Harness(shop.adapter, sessions=shop.counter.database.sessions, start=clock()) as harness:
        with harness.outage("database"):
            await harness.publish(started)
            await harness.advance(minutes=10)
            assert await shop.status(payment_id) == "CREATED"
        await harness.advance(minutes=1)
        assert await shop.status(payment_id) == "SUCCEEDED"
        assert harness.dead_letters == []
