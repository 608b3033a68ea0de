"""The ways a payment may go, step by step, on both databases: what is told, what is booked, what the channel was asked."""

from __future__ import annotations

from uuid import UUID

import pytest

from mall.payment import jobs, store
from mall.payment.channel import ChannelSilent
from mall.payment.domain import Answer, Approved, Declined
from mall.payment.sandbox import SandboxChannel
from mall.payment.tables import SandboxChargeRow, SettlementRow
from mall_events.accounting import (
    AccountingBalanceUpdated,
    AccountingSettlementCompleted,
    AccountingSettlementCreated,
    AccountingTransactionCreated,
    TransactionKind,
)
from mall_events.audit import AuditLogged, AuditOutcome
from mall_events.order import CancelReason, MerchantOrderCancelled, MerchantOrderCompleted
from mall_events.payment import (
    PaymentFailed,
    PaymentRefundCreated,
    PaymentRefundFailed,
    PaymentRefundSucceeded,
    PaymentSucceeded,
)
from mall_events.saga import CompensationStep, PaymentSagaCompensationRequested
from tests.mall.counter import Clock
from tests.mall.payment.shop import ADMIN, BUYER, ORDER, SELLER, Shop, opened_shop


async def charges(shop: Shop, payment_id: UUID) -> tuple[int, int]:
    """What the channel's own books say: charges and refunds."""
    async with shop.counter.desk.look() as session:
        row = await session.get(SandboxChargeRow, payment_id)
    return (0, 0) if row is None else (row.charges, row.refunds)


def completed(shop: Shop, payment_id: UUID, *, amount: int = 1234) -> MerchantOrderCompleted:
    return MerchantOrderCompleted(
        order_id=ORDER, merchant_id=SELLER, payment_id=payment_id, amount=amount, event_time=shop.now()
    )


async def settlement(shop: Shop, payment_id: UUID) -> SettlementRow | None:
    async with shop.counter.desk.look() as session:
        return await store.settlement_of_payment(session, payment_id)


async def test_a_charge_is_told_and_held_in_clearing(shop: Shop) -> None:
    payment_id = await shop.pay()
    await shop.deliver()
    assert await shop.status(payment_id) == "SUCCEEDED"
    told = shop.counter.told
    (succeeded,), (booked,), (balance,) = (
        told.of(PaymentSucceeded),
        told.of(AccountingTransactionCreated),
        told.of(AccountingBalanceUpdated),
    )
    assert succeeded.channel_reference.startswith("sandbox-")
    assert (booked.kind, {entry.account: entry.amount for entry in booked.entries}) == (
        TransactionKind.CHARGE,
        {"payer:10": -1234, "clearing": 1234},
    )
    assert (balance.account, balance.balance, balance.balance_version) == ("clearing", 1234, 1)
    assert (await shop.saga(payment_id)).state == "COMPLETED"
    assert (await shop.saga(payment_id)).due_at is None
    assert await charges(shop, payment_id) == (1, 0)
    row = await settlement(shop, payment_id)
    assert row is not None
    assert row.status == "OPEN"


async def test_a_charge_that_is_delivered_again_changes_nothing(shop: Shop) -> None:
    payment_id = await shop.pay()
    await shop.deliver()
    events = list(shop.counter.told.events)
    for event in events:
        await shop.give(event)
    assert shop.counter.told.events == events
    assert await charges(shop, payment_id) == (1, 0)
    assert (await shop.conservation())["difference"] == 0


async def test_a_declined_payment_fails_and_leaves_the_order_to_another_one(shop: Shop) -> None:
    payment_id = await shop.pay(total="1.13")
    await shop.deliver()
    assert await shop.status(payment_id) == "FAILED"
    (failed,) = shop.counter.told.of(PaymentFailed)
    assert failed.failure_code == "declined"
    (asked,) = shop.counter.told.of(PaymentSagaCompensationRequested)
    assert (asked.step, asked.reason) == (CompensationStep.CHANNEL, "declined")
    assert (await shop.saga(payment_id)).state == "COMPENSATED"
    assert (await shop.conservation())["charged"] == 0
    assert (await shop.ask()).status_code == 201


async def test_a_channel_that_is_silent_once_has_charged_once(shop: Shop) -> None:
    payment_id = await shop.pay(total="1.14")
    with pytest.raises(ChannelSilent):
        await shop.deliver()
    assert await shop.status(payment_id) == "CREATED"
    assert await charges(shop, payment_id) == (1, 0)
    shop.delivered -= 1  # the runtime hands it out again
    await shop.deliver()
    assert await shop.status(payment_id) == "SUCCEEDED"
    assert await charges(shop, payment_id) == (1, 0)


async def test_a_paid_order_that_is_refunded_gets_its_money_back(shop: Shop) -> None:
    payment_id = await shop.pay()
    await shop.deliver()
    await shop.compensate(payment_id)
    await shop.deliver()
    shown = await shop.payment(payment_id)
    assert (shown["status"], shown["refund"]["reason"]) == ("REFUNDED", "refund_requested")
    assert shown["refund"]["paid_back_at"] is not None
    (created,), (done,) = shop.counter.told.of(PaymentRefundCreated), shop.counter.told.of(PaymentRefundSucceeded)
    assert created.refund_id == done.refund_id
    assert await charges(shop, payment_id) == (1, 1)
    assert (await shop.saga(payment_id)).state == "COMPENSATED"
    sums = await shop.conservation()
    assert (sums["charged"], sums["refunded"], sums["clearing"], sums["difference"]) == (1234, 1234, 0, 0)
    row = await settlement(shop, payment_id)
    assert row is not None
    assert row.status == "CLOSED"


async def test_a_refund_that_is_asked_for_again_happens_once(shop: Shop) -> None:
    payment_id = await shop.pay()
    await shop.deliver()
    for _ in range(3):
        await shop.compensate(payment_id)
    await shop.deliver()
    assert len(shop.counter.told.of(PaymentRefundSucceeded)) == 1
    assert (await shop.conservation())["refunded"] == 1234


async def test_a_refused_refund_is_tried_again_each_minute(shop: Shop, clock: Clock) -> None:
    payment_id = await shop.pay(total="1.15")
    await shop.deliver()
    await shop.compensate(payment_id)
    assert await shop.status(payment_id) == "REFUNDING"
    for _ in range(2):
        assert await shop.run_due_jobs() == 0
        clock.move(minutes=1)
        assert await shop.run_due_jobs() == 1
        await shop.deliver()
    assert [event.attempt for event in shop.counter.told.of(PaymentRefundFailed)] == [1, 2]
    assert await shop.status(payment_id) == "REFUNDED"
    assert await charges(shop, payment_id) == (1, 1)
    assert (await shop.conservation())["difference"] == 0


class Stubborn(SandboxChannel):
    """A channel that pays nothing back."""

    async def refund(self, refund_id: UUID, *, payment_id: UUID, amount: int, currency: str) -> Answer:
        return Declined("account_closed", f"{refund_id} {payment_id} {amount} {currency}")


async def test_a_refund_that_is_refused_four_times_is_left_to_people(shop: Shop, clock: Clock) -> None:
    stubborn = opened_shop(shop.counter, now=clock, channel=Stubborn(shop.counter.database.sessions))
    payment_id = await stubborn.pay()
    await stubborn.deliver()
    await stubborn.compensate(payment_id)
    for _ in range(5):
        clock.move(minutes=1)
        await stubborn.run_due_jobs()
        await jobs.sweep(stubborn.counter.desk)
        await stubborn.deliver()
    told = shop.counter.told
    assert [event.attempt for event in told.of(PaymentRefundFailed)] == [1, 2, 3, 4]
    (logged,) = told.of(AuditLogged)
    assert (logged.action, logged.resource_id, logged.outcome) == ("refund", str(payment_id), AuditOutcome.FAILED)
    assert await shop.status(payment_id) == "REFUNDING"
    assert (await shop.conservation())["difference"] == 0


async def test_people_have_a_refused_refund_asked_for_once_more(shop: Shop, clock: Clock) -> None:
    stubborn = opened_shop(shop.counter, now=clock, channel=Stubborn(shop.counter.database.sessions))
    payment_id = await stubborn.pay()
    path = f"/api/v1/payments/{payment_id}/retry-refund"
    await stubborn.deliver()
    early = await shop.counter.call("POST", path, user=ADMIN, admin=True)
    assert (early.status_code, early.json()["error"]) == (409, "no_refund")
    await stubborn.compensate(payment_id)
    waiting = await shop.counter.call("POST", path, user=ADMIN, admin=True)
    assert (waiting.status_code, waiting.json()["error"]) == (409, "refund_in_progress")
    for _ in range(3):
        clock.move(minutes=1)
        await stubborn.run_due_jobs()
        await stubborn.deliver()
    assert (await shop.counter.call("POST", path, user=BUYER)).status_code == 403
    assert (await shop.counter.call("POST", path, user=ADMIN, admin=True)).status_code == 200
    shop.delivered = stubborn.delivered
    await shop.deliver()  # its channel pays
    assert await shop.status(payment_id) == "REFUNDED"
    assert [logged.action for logged in shop.counter.told.of(AuditLogged)] == ["refund", "retry_refund"]
    assert (await shop.conservation())["difference"] == 0


async def test_a_payment_that_nobody_answers_is_given_up_at_its_deadline(shop: Shop, clock: Clock) -> None:
    payment_id = await shop.pay()
    shop.delivered = len(shop.counter.told.events)  # nobody asks the channel
    clock.move(minutes=5)
    assert await shop.run_due_jobs() == 1
    await shop.deliver()
    assert await shop.status(payment_id) == "CANCELLED"
    assert (await shop.saga(payment_id)).state == "COMPENSATED"
    assert await charges(shop, payment_id) == (0, 0)
    assert (await shop.ask()).status_code == 201


async def test_a_time_out_leaves_a_charged_payment_alone(shop: Shop, clock: Clock) -> None:
    payment_id = await shop.pay()
    await shop.deliver()
    clock.move(minutes=5)
    await shop.run_due_jobs()
    await shop.compensate(payment_id, step=CompensationStep.TIMEOUT, reason="timed_out")
    assert await shop.status(payment_id) == "SUCCEEDED"


async def test_a_charge_that_comes_late_is_paid_back(shop: Shop, clock: Clock) -> None:
    payment_id = await shop.pay(total="1.14")
    with pytest.raises(ChannelSilent):
        await shop.deliver()
    started = shop.counter.told.events[shop.delivered - 1]
    clock.move(minutes=5)
    await shop.run_due_jobs()
    await shop.deliver()
    assert await shop.status(payment_id) == "CANCELLED"
    await shop.give(started)
    await shop.deliver()
    shown = await shop.payment(payment_id)
    assert (shown["status"], shown["refund"]["reason"]) == ("REFUNDED", "late_charge")
    assert await charges(shop, payment_id) == (1, 1)
    sums = await shop.conservation()
    assert (sums["charged"], sums["refunded"], sums["difference"]) == (114, 114, 0)


async def test_a_charge_that_nobody_heard_of_is_found_and_paid_back(shop: Shop, clock: Clock) -> None:
    """The adapter died for good between the channel's answer and ours: its event is a dead letter."""
    payment_id = await shop.pay(total="1.14")
    with pytest.raises(ChannelSilent):
        await shop.deliver()
    clock.move(minutes=5)
    await shop.run_due_jobs()
    await shop.deliver()
    clock.move(minutes=1)
    assert await shop.run_due_jobs() == 1
    await shop.deliver()
    assert await shop.status(payment_id) == "REFUNDED"
    assert await charges(shop, payment_id) == (1, 1)
    assert (await shop.saga(payment_id)).due_at is None


async def test_a_payment_given_up_before_the_channel_was_asked_is_asked_about_once(shop: Shop, clock: Clock) -> None:
    payment_id = await shop.pay()
    shop.delivered = len(shop.counter.told.events)
    await shop.compensate(payment_id, reason="amount_differs")
    clock.move(minutes=1)
    assert await shop.run_due_jobs() == 1
    await shop.deliver()
    assert await shop.status(payment_id) == "CANCELLED"
    assert (await shop.saga(payment_id)).due_at is None
    assert await jobs.sweep(shop.counter.desk) == 0


async def test_a_payment_past_its_deadline_is_not_charged_any_more(shop: Shop, clock: Clock) -> None:
    payment_id = await shop.pay()
    clock.move(minutes=5)
    await shop.deliver()
    assert await shop.status(payment_id) == "CREATED"
    assert await charges(shop, payment_id) == (0, 0)


async def test_the_sweeper_finds_what_redis_forgot_and_what_came_to_nothing(shop: Shop, clock: Clock) -> None:
    for number in range(5):
        await shop.pay(ORDER + number)
    shop.delivered = len(shop.counter.told.events)
    clock.move(minutes=5)
    assert await jobs.sweep(shop.counter.desk, at_once=2) == 5
    assert await jobs.sweep(shop.counter.desk) == 0
    shop.delivered = len(shop.counter.told.events)  # these came to nothing
    clock.move(minutes=5, seconds=1)
    assert await jobs.sweep(shop.counter.desk) == 5
    await shop.deliver()
    assert {row.status for row in await shop.payments()} == {"CANCELLED"}


async def test_a_completed_order_is_settled_less_the_fee(shop: Shop) -> None:
    payment_id = await shop.pay()
    await shop.deliver()
    await shop.give(completed(shop, payment_id))
    (created,), (done,) = (
        shop.counter.told.of(AccountingSettlementCreated),
        shop.counter.told.of(AccountingSettlementCompleted),
    )
    assert (created.amount, created.fee, created.settlement_id) == (1234, 7, done.settlement_id)
    booked = shop.counter.told.of(AccountingTransactionCreated)[-1]
    assert {entry.account: entry.amount for entry in booked.entries} == {
        "clearing": -1234,
        f"merchant:{SELLER}": 1227,
        "fees": 7,
    }
    assert done.transaction_id == booked.transaction_id
    await shop.deliver()
    row = await settlement(shop, payment_id)
    assert row is not None
    assert (row.status, row.fee) == ("COMPLETED", 7)
    sums = await shop.conservation()
    assert (sums["clearing"], sums["settled"], sums["fees"], sums["difference"]) == (0, 1227, 7, 0)


async def test_a_payment_is_settled_once_and_then_not_paid_back(shop: Shop) -> None:
    payment_id = await shop.pay()
    await shop.deliver()
    for _ in range(2):
        await shop.give(completed(shop, payment_id))
    await shop.compensate(payment_id)
    await shop.deliver()
    assert len(shop.counter.told.of(AccountingSettlementCreated)) == 1
    assert await shop.status(payment_id) == "SUCCEEDED"
    assert (await shop.conservation())["difference"] == 0


async def test_an_order_that_completes_before_its_payment_was_heard_of_is_settled(shop: Shop) -> None:
    payment_id = await shop.pay()
    await shop.give(shop.counter.told.events[-1])  # the channel is asked, nobody hears of the success yet
    await shop.give(completed(shop, payment_id))
    await shop.deliver()
    row = await settlement(shop, payment_id)
    assert row is not None
    assert row.status == "COMPLETED"


async def test_a_payment_on_its_way_back_is_not_settled(shop: Shop) -> None:
    payment_id = await shop.pay(total="1.15")
    await shop.deliver()
    await shop.compensate(payment_id)
    await shop.give(completed(shop, payment_id, amount=115))
    assert shop.counter.told.of(AccountingSettlementCreated) == []


async def test_a_cancelled_order_and_a_payment_by_hand_settle_nothing(shop: Shop) -> None:
    payment_id = await shop.pay()
    await shop.deliver()
    cancelled = MerchantOrderCancelled(
        order_id=ORDER, merchant_id=SELLER, amount=1234, reason=CancelReason.BUYER_REQUEST, event_time=shop.now()
    )
    await shop.give(cancelled)
    row = await settlement(shop, payment_id)
    assert row is not None
    assert row.status == "CLOSED"
    await shop.give(completed(shop, UUID(int=99)))
    assert shop.counter.told.of(AccountingSettlementCreated) == []


async def test_what_the_channel_says_after_a_payment_ended_changes_nothing(shop: Shop, clock: Clock) -> None:
    assert isinstance(await shop.channel.charge(UUID(int=5), amount=100, currency="CNY"), Approved)
    assert await shop.channel.find(UUID(int=6)) is None
    payment_id = await shop.pay()
    await shop.deliver()
    clock.move(seconds=1)
    await shop.compensate(payment_id, step=CompensationStep.CHANNEL, reason="late_charge")
    await shop.deliver()
    assert await shop.status(payment_id) == "REFUNDED"
    clock.move(minutes=10)
    assert await jobs.sweep(shop.counter.desk) == 0
