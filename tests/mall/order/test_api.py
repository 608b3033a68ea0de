"""Orders over HTTP, on both databases."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from mall.order import store
from mall.order.tables import FIRST_ORDER_ID
from mall_events.goods import GoodsStatus, StockChanged
from mall_events.order import (
    CancelReason,
    MerchantOrderCreated,
    OrderCancelled,
    OrderCreated,
    OrderPaid,
    OrderStatus,
    OrderStatusChanged,
)
from tests.mall.counter import Clock, Counter
from tests.mall.order.market import ADMIN, BIKE, BUYER, LAMP, SELLER, STRANGER, placed, stock_up

ORDERS = "/api/v1/orders"


async def stock(orders: Counter, goods_id: int = LAMP) -> tuple[int, int, int]:
    async with orders.desk.open() as work:
        row = (await store.lock_stock(work.session, [goods_id]))[goods_id]
        return row.available, row.reserved, row.sold


async def test_an_order_reserves_its_goods_and_tells_about_both(orders: Counter) -> None:
    await stock_up(orders)
    order = await placed(orders, quantity=2, note="please hurry", shipping_address="Dorm 7")
    assert order["order_id"] == FIRST_ORDER_ID
    assert order["order_no"] == f"20260301-{FIRST_ORDER_ID}"
    assert (order["status"], order["total"], order["currency"]) == ("PENDING_PAYMENT", "7.00", "CNY")
    assert order["pay_before"] == "2026-03-01T12:30:00Z"
    assert await stock(orders) == (3, 2, 0)
    created, with_merchant, changed = orders.told.events
    assert isinstance(created, OrderCreated)
    assert (created.order_id, created.total, created.shipping_address) == (FIRST_ORDER_ID, Decimal("7.00"), "Dorm 7")
    assert (created.note, created.operator) == ("please hurry", f"user:{BUYER}")
    assert isinstance(with_merchant, MerchantOrderCreated)
    assert (with_merchant.merchant_id, with_merchant.amount) == (SELLER, 700)
    assert isinstance(changed, StockChanged)
    assert (changed.available, changed.stock_version, changed.order_id) == (3, 2, FIRST_ORDER_ID)


async def test_an_unpaid_order_is_scheduled_to_time_out(orders: Counter, clock: Clock) -> None:
    await stock_up(orders)
    order = await placed(orders)
    (job,) = orders.told.jobs
    assert (job.queue, job.payload.decode()) == ("order-timeout", str(order["order_id"]))
    clock.move(minutes=30)
    assert job.due == clock()


@pytest.mark.parametrize(
    ("lines", "status", "error"),
    [
        ([{"goods_id": LAMP, "quantity": 6}], 409, "out_of_stock"),
        ([{"goods_id": 9, "quantity": 1}], 409, "not_on_sale"),
        ([{"goods_id": LAMP, "quantity": 1}, {"goods_id": LAMP, "quantity": 1}], 422, "duplicate_line"),
        ([{"goods_id": LAMP, "quantity": 0}], 422, "invalid_request"),
        ([{"goods_id": LAMP, "quantity": 100}], 422, "invalid_request"),
        ([{"goods_id": LAMP, "quantity": 1, "unit_price": "0.01"}], 422, "invalid_request"),
        ([{"goods_id": 2**63, "quantity": 1}], 422, "invalid_request"),
        ([], 422, "invalid_request"),
        ([{"goods_id": LAMP, "quantity": 1}] * 21, 422, "invalid_request"),
    ],
)
async def test_what_may_not_be_ordered_is_refused_and_changes_nothing(
    orders: Counter, lines: list[dict[str, Any]], status: int, error: str
) -> None:
    await stock_up(orders)
    answer = await orders.call("POST", ORDERS, user=BUYER, json={"lines": lines})
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert set(answer.json()) >= {"error", "message", "next"}
    assert await stock(orders) == (5, 0, 0)
    assert orders.told.events == []


async def test_missing_pieces_are_named(orders: Counter) -> None:
    await stock_up(orders)
    answer = await orders.call("POST", ORDERS, user=BUYER, json={"lines": [{"goods_id": LAMP, "quantity": 6}]})
    assert (answer.json()["goods_id"], answer.json()["available"]) == (LAMP, 5)


async def test_one_s_own_goods_cannot_be_ordered(orders: Counter) -> None:
    await stock_up(orders)
    answer = await orders.call("POST", ORDERS, user=SELLER, json={"lines": [{"goods_id": LAMP, "quantity": 1}]})
    assert (answer.status_code, answer.json()["error"]) == (409, "own_goods")


async def test_goods_off_the_shelf_cannot_be_ordered(orders: Counter) -> None:
    await stock_up(orders, status=GoodsStatus.OFF_SHELF)
    answer = await orders.call("POST", ORDERS, user=BUYER, json={"lines": [{"goods_id": LAMP, "quantity": 1}]})
    assert (answer.status_code, answer.json()["error"]) == (409, "not_on_sale")


async def test_the_life_of_an_order_is_told_step_by_step(orders: Counter) -> None:
    await stock_up(orders)
    order = await placed(orders)
    path = f"{ORDERS}/{order['order_id']}"
    for action, user, is_admin, status in (
        ("mark-paid", ADMIN, True, "PAID"),
        ("ship", SELLER, False, "SHIPPED"),
        ("confirm", BUYER, False, "COMPLETED"),
    ):
        answer = await orders.call("POST", f"{path}/{action}", user=user, admin=is_admin)
        assert (answer.status_code, answer.json()["status"]) == (200, status), answer.text
    assert await stock(orders) == (3, 0, 2)
    assert orders.told.names() == [
        *("OrderCreated", "MerchantOrderCreated", "StockChanged"),
        *("OrderPaid", "OrderStatusChanged", "MerchantOrderUpdated"),
        *("OrderStatusChanged", "MerchantOrderUpdated"),
        *("OrderStatusChanged", "MerchantOrderUpdated", "MerchantOrderCompleted"),
    ]
    (paid,) = orders.told.of(OrderPaid)
    assert (paid.total, paid.note, paid.operator) == (Decimal("7.00"), "recorded by hand", f"admin:{ADMIN}")
    assert [event.order_version for event in orders.told.of(OrderStatusChanged)] == [2, 3, 4]


@pytest.mark.parametrize(
    ("user", "reason"), [(BUYER, CancelReason.BUYER_REQUEST), (SELLER, CancelReason.SELLER_REQUEST)]
)
async def test_either_side_cancels_an_unpaid_order_and_its_goods_are_for_sale_again(
    orders: Counter, user: int, reason: CancelReason
) -> None:
    await stock_up(orders)
    order = await placed(orders)
    answer = await orders.call(
        "POST", f"{ORDERS}/{order['order_id']}/cancel", user=user, json={"note": "changed my mind"}
    )
    assert answer.json()["status"] == "CANCELLED"
    assert await stock(orders) == (5, 0, 0)
    assert orders.told.names()[3:] == ["OrderCancelled", "OrderStatusChanged", "MerchantOrderCancelled", "StockChanged"]
    (cancelled,) = orders.told.of(OrderCancelled)
    assert (cancelled.reason, cancelled.note) == (reason, "changed my mind")
    assert orders.told.of(StockChanged)[-1].stock_version == 3


async def test_an_illegal_step_names_both_states(orders: Counter) -> None:
    await stock_up(orders)
    order = await placed(orders)
    answer = await orders.call("POST", f"{ORDERS}/{order['order_id']}/ship", user=SELLER)
    assert (answer.status_code, answer.json()["error"]) == (409, "illegal_transition")
    assert "PENDING_PAYMENT" in answer.json()["message"]
    assert "be shipped" in answer.json()["message"]


async def test_only_the_right_side_takes_a_step(orders: Counter) -> None:
    await stock_up(orders)
    path = f"{ORDERS}/{(await placed(orders))['order_id']}"
    assert (await orders.call("POST", f"{path}/ship", user=BUYER)).status_code == 403
    assert (await orders.call("POST", f"{path}/confirm", user=SELLER)).status_code == 403
    assert (await orders.call("POST", f"{path}/mark-paid", user=SELLER)).status_code == 403


async def test_another_user_s_order_does_not_exist(orders: Counter) -> None:
    await stock_up(orders)
    path = f"{ORDERS}/{(await placed(orders))['order_id']}"
    for method, suffix in (
        ("GET", ""),
        ("GET", "/history"),
        ("POST", "/cancel"),
        ("POST", "/ship"),
        ("POST", "/confirm"),
    ):
        answer = await orders.call(method, path + suffix, user=STRANGER)
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    assert (await orders.call("GET", path, user=SELLER)).status_code == 200
    assert (await orders.call("GET", path, user=STRANGER, admin=True)).status_code == 200


async def test_the_same_key_and_body_is_one_order(orders: Counter) -> None:
    await stock_up(orders)
    body = {"lines": [{"goods_id": LAMP, "quantity": 1}]}
    headers = {"Idempotency-Key": "k-1"}
    first, second = [await orders.call("POST", ORDERS, user=BUYER, json=body, headers=headers) for _ in range(2)]
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert await stock(orders) == (4, 1, 0)
    assert len(orders.told.of(OrderCreated)) == 1


async def test_the_same_key_with_another_body_is_a_conflict(orders: Counter) -> None:
    await stock_up(orders)
    headers = {"Idempotency-Key": "k-1"}
    bodies = [{"lines": [{"goods_id": LAMP, "quantity": quantity}]} for quantity in (1, 2)]
    answers = [await orders.call("POST", ORDERS, user=BUYER, json=body, headers=headers) for body in bodies]
    assert [answer.status_code for answer in answers] == [201, 409]
    assert answers[1].json()["error"] == "idempotency_conflict"


async def test_a_refused_request_leaves_its_key_free_and_an_old_key_is_forgotten(orders: Counter, clock: Clock) -> None:
    body = {"lines": [{"goods_id": LAMP, "quantity": 1}]}
    headers = {"Idempotency-Key": "k-1"}
    assert (await orders.call("POST", ORDERS, user=BUYER, json=body, headers=headers)).status_code == 409
    await stock_up(orders)
    first = await orders.call("POST", ORDERS, user=BUYER, json=body, headers=headers)
    clock.move(hours=25)
    later = await orders.call("POST", ORDERS, user=BUYER, json=body, headers=headers)
    assert first.json()["order_id"] != later.json()["order_id"]


async def test_two_requests_at_once_with_one_key_are_one_order(orders: Counter) -> None:
    await stock_up(orders)
    body = {"lines": [{"goods_id": LAMP, "quantity": 1}]}
    answers = await asyncio.gather(
        *(orders.call("POST", ORDERS, user=BUYER, json=body, headers={"Idempotency-Key": "k-1"}) for _ in range(5))
    )
    assert {answer.json()["order_id"] for answer in answers} == {FIRST_ORDER_ID}
    assert await stock(orders) == (4, 1, 0)


async def test_many_buyers_at_once_never_get_more_than_there_is(orders: Counter) -> None:
    await stock_up(orders, listed=5)
    await stock_up(orders, BIKE, listed=5)
    wishes = [[(LAMP, 1), (BIKE, 1)], [(BIKE, 1), (LAMP, 1)]] * 6
    answers = await asyncio.gather(
        *(
            orders.call(
                "POST", ORDERS, user=100 + number, json={"lines": [{"goods_id": g, "quantity": q} for g, q in wish]}
            )
            for number, wish in enumerate(wishes)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [409] * 7
    assert await stock(orders) == (0, 5, 0)
    assert await stock(orders, BIKE) == (0, 5, 0)


async def test_orders_follow_the_listing_only_upwards(orders: Counter) -> None:
    await stock_up(orders, version=3, listed=5)
    await stock_up(orders, version=2, listed=50)
    assert await stock(orders) == (5, 0, 0)
    await stock_up(orders, version=4, listed=7)
    assert await stock(orders) == (7, 0, 0)


async def test_the_status_of_an_order_is_a_word_outside(orders: Counter) -> None:
    await stock_up(orders)
    path = f"{ORDERS}/{(await placed(orders))['order_id']}"
    assert (await orders.call("GET", path, user=BUYER)).json()["status"] == OrderStatus.PENDING_PAYMENT.name
