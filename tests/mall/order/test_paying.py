"""What payments do to orders, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from mall.order import confirming, store, timeout
from mall.order.handlers import handlers
from mall.order.tables import OrderRow
from mall.order.transition import CONFIRM_QUEUE
from mall_events.goods import StockChanged
from mall_events.order import (
    MerchantOrderCompleted,
    MerchantOrderUpdated,
    OrderCancelled,
    OrderPaid,
    OrderStatus,
    OrderStatusChanged,
)
from mall_events.payment import PaymentFailed, PaymentRefundSucceeded, PaymentStatus, PaymentSucceeded
from mall_events.saga import CompensationStep, PaymentSagaCompensationRequested, PaymentSagaStarted
from tests.mall.counter import Clock, Counter
from tests.mall.order.market import ADMIN, BUYER, SELLER, STRANGER, placed, stock_up
from treaty_runtime.delay.runner import JobContext

PAYMENT, OTHER = UUID(int=7), UUID(int=8)


def started(orders: Counter, order_id: int, payment_id: UUID = PAYMENT, *, amount: int = 700) -> PaymentSagaStarted:
    now = orders.desk.now()
    return PaymentSagaStarted(
        saga_id=payment_id,
        payment_id=payment_id,
        order_id=order_id,
        payer_id=BUYER,
        amount=amount,
        deadline=now + timedelta(minutes=5),
        event_time=now,
    )


def shared(orders: Counter, order_id: int, payment_id: UUID, amount: int) -> dict[str, Any]:
    return {
        "payment_id": payment_id,
        "payment_no": "1",
        "merchant_id": SELLER,
        "order_id": order_id,
        "payer_id": BUYER,
        "amount": amount,
        "event_time": orders.desk.now(),
    }


def succeeded(orders: Counter, order_id: int, payment_id: UUID = PAYMENT, *, amount: int = 700) -> PaymentSucceeded:
    told = shared(orders, order_id, payment_id, amount)
    return PaymentSucceeded(**told, status=PaymentStatus.SUCCEEDED, channel_reference="ref")


def failed(orders: Counter, order_id: int, payment_id: UUID = PAYMENT) -> PaymentFailed:
    told = shared(orders, order_id, payment_id, 700)
    return PaymentFailed(**told, status=PaymentStatus.FAILED, failure_code="declined", failure_message="no")


def refunded(orders: Counter, order_id: int, payment_id: UUID = PAYMENT) -> PaymentRefundSucceeded:
    told = shared(orders, order_id, payment_id, 700)
    return PaymentRefundSucceeded(**told, refund_id=UUID(int=1), reason="x", channel_reference="ref")


def compensations(orders: Counter) -> list[tuple[UUID, str]]:
    asked = orders.told.of(PaymentSagaCompensationRequested)
    assert {event.step for event in asked} <= {CompensationStep.ORDER}
    return [(event.payment_id, event.reason) for event in asked]


async def new_order(orders: Counter) -> int:
    await stock_up(orders)
    order_id = int((await placed(orders))["order_id"])
    orders.told.events.clear()
    return order_id


async def row_of(orders: Counter, order_id: int) -> OrderRow:
    async with orders.desk.look() as session:
        row = await store.find_order(session, order_id)
    assert row is not None
    return row


async def shown(orders: Counter, order_id: int) -> dict[str, Any]:
    answer: dict[str, Any] = (await orders.call("GET", f"/api/v1/orders/{order_id}", user=BUYER)).json()
    return answer


async def test_a_payment_holds_the_order_and_then_pays_it(orders: Counter) -> None:
    order_id = await new_order(orders)
    await orders.handle(handlers, started(orders, order_id))
    cancel = await orders.call("POST", f"/api/v1/orders/{order_id}/cancel", user=BUYER)
    assert (cancel.status_code, cancel.json()["error"]) == (409, "payment_in_progress")
    by_hand = await orders.call("POST", f"/api/v1/orders/{order_id}/mark-paid", user=ADMIN, admin=True)
    assert (by_hand.status_code, by_hand.json()["error"]) == (409, "payment_in_progress")
    await orders.handle(handlers, succeeded(orders, order_id))
    order = await shown(orders, order_id)
    assert (order["status"], order["payment_id"]) == ("PAID", str(PAYMENT))
    assert orders.told.names() == ["OrderPaid", "OrderStatusChanged", "MerchantOrderUpdated"]
    assert orders.told.of(OrderPaid)[0].payment_id == PAYMENT
    assert orders.told.of(MerchantOrderUpdated)[0].amount == 700
    assert compensations(orders) == []


async def test_events_of_a_payment_may_come_in_any_order(orders: Counter) -> None:
    order_id = await new_order(orders)
    await orders.handle(handlers, succeeded(orders, order_id))
    await orders.handle(handlers, started(orders, order_id))
    await orders.handle(handlers, succeeded(orders, order_id))
    assert (await shown(orders, order_id))["status"] == "PAID"
    assert compensations(orders) == []
    assert len(orders.told.of(OrderPaid)) == 1


async def test_a_failed_payment_frees_the_order_for_another_one(orders: Counter) -> None:
    order_id = await new_order(orders)
    await orders.handle(handlers, started(orders, order_id))
    await orders.handle(handlers, failed(orders, order_id))
    await orders.handle(handlers, started(orders, order_id, OTHER))
    assert (await row_of(orders, order_id)).hold_payment_id == OTHER
    await orders.handle(handlers, started(orders, order_id))  # late: it has failed already
    assert (await row_of(orders, order_id)).hold_payment_id == OTHER
    assert compensations(orders) == []


async def test_what_cannot_be_held_is_compensated_with_the_reason(orders: Counter) -> None:
    order_id = await new_order(orders)
    await orders.handle(handlers, started(orders, order_id, amount=701))
    await orders.handle(handlers, started(orders, order_id + 1))
    await orders.handle(handlers, started(orders, order_id, OTHER))
    await orders.handle(handlers, started(orders, order_id))
    assert compensations(orders) == [
        (PAYMENT, "amount_differs"),
        (PAYMENT, "order_not_payable"),
        (PAYMENT, "already_held"),
    ]


async def test_money_that_the_order_has_no_use_for_goes_back(orders: Counter) -> None:
    order_id = await new_order(orders)
    await orders.handle(handlers, succeeded(orders, order_id, amount=699))
    await orders.handle(handlers, succeeded(orders, order_id + 1))
    await orders.handle(handlers, succeeded(orders, order_id, OTHER))
    await orders.handle(handlers, succeeded(orders, order_id))
    assert compensations(orders) == [
        (PAYMENT, "amount_differs"),
        (PAYMENT, "order_closed"),
        (PAYMENT, "order_closed"),
    ]
    assert (await shown(orders, order_id))["payment_id"] == str(OTHER)


async def test_a_payment_that_comes_after_the_time_out_goes_back(orders: Counter, clock: Clock) -> None:
    order_id = await new_order(orders)
    clock.move(minutes=30)
    await timeout.sweep(orders.desk)
    await orders.handle(handlers, orders.told.events[-1])
    await orders.handle(handlers, succeeded(orders, order_id))
    assert len(orders.told.of(OrderCancelled)) == 1
    assert compensations(orders) == [(PAYMENT, "order_closed")]


async def test_a_refund_waits_for_the_money_and_then_gives_the_goods_back(orders: Counter) -> None:
    order_id = await new_order(orders)
    await orders.handle(handlers, succeeded(orders, order_id))
    path = f"/api/v1/orders/{order_id}"
    assert (await orders.call("POST", f"{path}/refund", user=STRANGER)).status_code == 404
    for _ in range(2):
        answer = await orders.call("POST", f"{path}/refund", user=BUYER)
        assert (answer.status_code, answer.json()["refund_requested"], answer.json()["status"]) == (200, True, "PAID")
    assert compensations(orders) == [(PAYMENT, "refund_requested")]
    ship = await orders.call("POST", f"{path}/ship", user=SELLER)
    assert (ship.status_code, ship.json()["error"]) == (409, "refund_requested")
    await orders.handle(handlers, refunded(orders, order_id, OTHER))
    assert (await shown(orders, order_id))["status"] == "PAID"
    for _ in range(2):
        await orders.handle(handlers, refunded(orders, order_id))
    assert (await shown(orders, order_id))["status"] == "REFUNDED"
    assert orders.told.of(StockChanged)[-1].available == 5
    changes = [event.current_status for event in orders.told.of(OrderStatusChanged)]
    assert changes == [OrderStatus.PAID, OrderStatus.REFUNDED]


async def test_an_unpaid_order_and_one_paid_in_cash_have_nothing_to_pay_back(orders: Counter) -> None:
    order_id = await new_order(orders)
    path = f"/api/v1/orders/{order_id}"
    unpaid = await orders.call("POST", f"{path}/refund", user=BUYER)
    assert (unpaid.status_code, unpaid.json()["error"]) == (409, "illegal_transition")
    await orders.call("POST", f"{path}/mark-paid", user=ADMIN, admin=True)
    cash = await orders.call("POST", f"{path}/refund", user=BUYER)
    assert (cash.status_code, cash.json()["error"]) == (409, "paid_by_hand")
    assert cash.json()["next"]


async def test_a_shipped_order_is_confirmed_by_itself_after_seven_days(orders: Counter, clock: Clock) -> None:
    order_id = await new_order(orders)
    await orders.handle(handlers, succeeded(orders, order_id))
    await orders.call("POST", f"/api/v1/orders/{order_id}/ship", user=SELLER)
    (job,) = [job for job in orders.told.jobs if job.queue == CONFIRM_QUEUE]
    clock.move(days=6, hours=23)
    assert await confirming.sweep(orders.desk) == 0
    async with orders.database.sessions.begin() as session:
        context = JobContext(session=session, attempt=1, stager=orders.told.stage, scheduler=orders.told.schedule)
        await confirming.confirm_worker(now=clock)(job, context)
    assert (await shown(orders, order_id))["status"] == "COMPLETED"
    (completed,) = orders.told.of(MerchantOrderCompleted)
    assert (completed.payment_id, completed.amount, completed.merchant_id) == (PAYMENT, 700, SELLER)
    clock.move(days=1)
    assert await confirming.sweep(orders.desk) == 0


async def test_the_sweeper_confirms_what_redis_forgot_but_no_order_whose_money_was_asked_back(
    orders: Counter, clock: Clock
) -> None:
    order_id = await new_order(orders)
    await orders.handle(handlers, succeeded(orders, order_id))
    await orders.call("POST", f"/api/v1/orders/{order_id}/ship", user=SELLER)
    other = int((await placed(orders))["order_id"])
    await orders.handle(handlers, succeeded(orders, other, OTHER))
    await orders.call("POST", f"/api/v1/orders/{other}/ship", user=SELLER)
    await orders.call("POST", f"/api/v1/orders/{other}/refund", user=BUYER)
    clock.move(days=7)
    assert await confirming.sweep(orders.desk, at_once=1) == 1
    assert (await shown(orders, order_id))["status"] == "COMPLETED"
    assert (await shown(orders, other))["status"] == "SHIPPED"
