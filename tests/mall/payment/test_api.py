"""Payments over HTTP, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from mall_events.accounting import AccountingTransactionCreated
from mall_events.order import OrderStatus
from mall_events.payment import PaymentCreated, PaymentFailed, PaymentStatus
from mall_events.risk import RiskCheckCompleted, RiskCriticalAlertRaised, RiskHighAlertRaised, RiskLevel
from mall_events.saga import PaymentSagaStarted
from tests.mall.counter import Clock
from tests.mall.payment.shop import ADMIN, BUYER, ORDER, PAYMENTS, SELLER, STRANGER, Shop


async def test_a_payment_of_one_s_order_starts_a_saga_and_tells_so(shop: Shop, clock: Clock) -> None:
    await shop.learn_order(total="12.34")
    answer = await shop.ask(body={"metadata": {"device": "kiosk"}})
    assert answer.status_code == 201
    payment = answer.json()
    assert (payment["amount"], payment["currency"], payment["status"]) == (1234, "CNY", "CREATED")
    assert (payment["payer_id"], payment["merchant_id"], payment["metadata"]) == (BUYER, SELLER, {"device": "kiosk"})
    told = shop.counter.told
    assert told.names() == ["RiskCheckStarted", "RiskCheckCompleted", "PaymentCreated", "PaymentSagaStarted"]
    (created,), (started,) = told.of(PaymentCreated), told.of(PaymentSagaStarted)
    assert (created.order_id, created.status, created.operator) == (ORDER, PaymentStatus.CREATED, f"user:{BUYER}")
    assert created.metadata == {"device": "kiosk"}
    assert started.saga_id == started.payment_id == created.payment_id
    assert started.deadline == clock() + timedelta(minutes=5)
    (job,) = told.jobs
    assert (job.queue, job.due) == ("saga-timeout", started.deadline)


async def test_the_price_is_the_order_s_and_nobody_else_s(shop: Shop) -> None:
    await shop.learn_order()
    answer = await shop.ask(body={"amount": 1})
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")


@pytest.mark.parametrize(
    "body",
    [
        {"method": "UNKNOWN"},
        {"order_id": 0},
        {"order_id": "1"},
        {"metadata": {"k": "v" * 201}},
        {"metadata": {"": "v"}},
        {"metadata": {"k": "\x00"}},
        {"metadata": {str(number): "v" for number in range(21)}},
    ],
)
async def test_a_wish_that_says_nonsense_is_refused(shop: Shop, body: dict[str, Any]) -> None:
    await shop.learn_order()
    answer = await shop.ask(body=body)
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")
    assert shop.counter.told.events == []


async def test_another_s_order_and_none_are_the_same_to_a_stranger(shop: Shop) -> None:
    await shop.learn_order()
    answers = [await shop.ask(user=STRANGER), await shop.ask(ORDER + 1, user=STRANGER), await shop.ask(user=SELLER)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1


async def test_one_payment_at_a_time(shop: Shop) -> None:
    await shop.pay()
    answer = await shop.ask()
    assert (answer.status_code, answer.json()["error"]) == (409, "payment_in_progress")
    await shop.deliver()
    answer = await shop.ask()
    assert (answer.status_code, answer.json()["error"]) == (409, "payment_in_progress")


async def test_a_request_that_is_sent_twice_is_one_payment(shop: Shop) -> None:
    await shop.learn_order()
    key = {"Idempotency-Key": "once"}
    first, second = await shop.ask(headers=key), await shop.ask(headers=key)
    assert first.json() == second.json()
    other = await shop.ask(headers=key, body={"method": "WALLET"})
    assert (other.status_code, other.json()["error"]) == (409, "idempotency_conflict")
    assert len(await shop.payments()) == 1


async def test_an_order_that_moved_on_or_is_late_is_not_payable(shop: Shop, clock: Clock) -> None:
    await shop.learn_order()
    clock.move(minutes=30)
    answer = await shop.ask()
    assert (answer.status_code, answer.json()["error"]) == (409, "order_not_payable")
    await shop.learn_order(ORDER + 1)
    await shop.move_order(ORDER + 1, to=OrderStatus.CANCELLED, version=2)
    answer = await shop.ask(ORDER + 1)
    assert (answer.status_code, answer.json()["error"]) == (409, "order_not_payable")
    assert "CANCELLED" in answer.json()["message"]


async def test_a_status_that_comes_before_its_order_is_kept(shop: Shop) -> None:
    await shop.move_order(ORDER, to=OrderStatus.CANCELLED, version=2)
    assert (await shop.ask()).status_code == 404
    await shop.learn_order()
    assert (await shop.ask()).json()["error"] == "order_not_payable"


async def test_a_payment_is_shown_to_its_people_only(shop: Shop) -> None:
    payment_id = await shop.pay()
    path = f"{PAYMENTS}/{payment_id}"
    codes = [(await shop.counter.call("GET", path, user=user)).status_code for user in (BUYER, SELLER, STRANGER)]
    assert codes == [200, 200, 404]
    assert (await shop.counter.call("GET", path, user=ADMIN, admin=True)).status_code == 200
    assert (await shop.counter.call("GET", f"{PAYMENTS}/{uuid4()}", user=BUYER)).status_code == 404
    assert (await shop.counter.call("GET", f"{PAYMENTS}/7", user=BUYER)).status_code == 422
    assert (await shop.counter.call("GET", path)).status_code == 401


async def test_a_risky_payment_is_told_and_a_reckless_one_rejected(shop: Shop) -> None:
    for number in range(3):
        await shop.pay(ORDER + number, total="1.13")
    await shop.deliver()
    shop.counter.told.events.clear()
    shop.delivered = 0
    await shop.learn_order(ORDER + 3, total="5000.01")
    high = (await shop.ask(ORDER + 3)).json()
    told = shop.counter.told
    assert (high["status"], [alert.score for alert in told.of(RiskHighAlertRaised)]) == ("CREATED", [60])
    assert told.of(RiskHighAlertRaised)[0].rules == ["large_amount", "repeated_failures"]
    for number in range(4, 10):
        await shop.pay(ORDER + number)
    await shop.learn_order(ORDER + 10, total="5000.01")
    critical = (await shop.ask(ORDER + 10)).json()
    assert (critical["status"], critical["failure_code"]) == ("FAILED", "risk_rejected")
    (alert,), (failed,) = told.of(RiskCriticalAlertRaised), told.of(PaymentFailed)
    assert (alert.score, str(failed.payment_id), failed.status) == (100, critical["payment_id"], PaymentStatus.FAILED)
    assert told.of(RiskCheckCompleted)[-1].level is RiskLevel.CRITICAL
    assert critical["payment_id"] not in {str(started.payment_id) for started in told.of(PaymentSagaStarted)}
    assert "score" not in str(critical)


async def test_balances_are_their_owner_s_and_sums_the_admins(shop: Shop) -> None:
    await shop.pay()
    await shop.deliver()
    assert len(shop.counter.told.of(AccountingTransactionCreated)) == 1
    balances = "/api/v1/accounting/balances"
    own = await shop.counter.call("GET", f"{balances}/payer:{BUYER}", user=BUYER)
    assert (own.json()["balance"], own.json()["owner_id"]) == (-1234, BUYER)
    for account, user in ((f"payer:{BUYER}", STRANGER), ("clearing", BUYER), ("merchant:20", SELLER)):
        assert (await shop.counter.call("GET", f"{balances}/{account}", user=user)).status_code == 404
    assert (await shop.counter.call("GET", f"{balances}/payer:0", user=BUYER)).status_code == 422
    clearing = await shop.counter.call("GET", f"{balances}/clearing", user=ADMIN, admin=True)
    assert clearing.json() == {
        "account": "clearing",
        "owner_id": None,
        "balance": 1234,
        "currency": "CNY",
        "version": 1,
    }
    sums = "/api/v1/accounting/conservation"
    assert (await shop.counter.call("GET", sums, user=BUYER)).status_code == 403
    answer = await shop.counter.call("GET", sums, user=ADMIN, admin=True)
    held = {"charged": 1234, "refunded": 0, "clearing": 1234, "settled": 0, "fees": 0, "difference": 0}
    assert answer.json() == held
