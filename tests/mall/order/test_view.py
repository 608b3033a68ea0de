"""The query side of orders, on both databases."""

from __future__ import annotations

from mall.order.view import handlers
from tests.mall.counter import Clock, Counter
from tests.mall.order.market import ADMIN, BUYER, SELLER, STRANGER, placed, stock_up

ORDERS = "/api/v1/orders"


async def project(orders: Counter) -> None:
    """Let group order-view follow everything that was told so far."""
    for event in list(orders.told.events):
        if type(event) in handlers.events:
            await orders.handle(handlers, event)


async def test_both_sides_list_an_order_and_strangers_do_not(orders: Counter) -> None:
    await stock_up(orders)
    order = await placed(orders)
    await project(orders)
    for user, role, count in ((BUYER, "buyer", 1), (SELLER, "seller", 1), (BUYER, "seller", 0), (STRANGER, "buyer", 0)):
        listed = (await orders.call("GET", f"{ORDERS}?role={role}", user=user)).json()["orders"]
        assert len(listed) == count
    entry = (await orders.call("GET", ORDERS, user=BUYER)).json()["orders"][0]
    assert (entry["order_id"], entry["title"], entry["pieces"], entry["total"]) == (
        order["order_id"],
        "Lamp",
        2,
        "7.00",
    )


async def test_the_history_tells_who_did_what(orders: Counter, clock: Clock) -> None:
    await stock_up(orders)
    path = f"{ORDERS}/{(await placed(orders))['order_id']}"
    clock.move(minutes=1)
    await orders.call("POST", f"{path}/mark-paid", user=ADMIN, admin=True)
    await project(orders)
    await project(orders)
    steps = (await orders.call("GET", f"{path}/history", user=SELLER)).json()["steps"]
    assert [(step["version"], step["status"], step["operator"]) for step in steps] == [
        (1, "PENDING_PAYMENT", f"user:{BUYER}"),
        (2, "PAID", f"admin:{ADMIN}"),
    ]
    assert [step["at"] for step in steps] == ["2026-03-01T12:00:00Z", "2026-03-01T12:01:00Z"]


async def test_lists_are_filtered_by_status_and_paged_newest_first(orders: Counter) -> None:
    await stock_up(orders, listed=20)
    ids = [(await placed(orders, quantity=1))["order_id"] for _ in range(5)]
    await orders.call("POST", f"{ORDERS}/{ids[0]}/cancel", user=BUYER)
    await project(orders)
    cancelled = (await orders.call("GET", f"{ORDERS}?status=CANCELLED", user=BUYER)).json()["orders"]
    assert [entry["order_id"] for entry in cancelled] == ids[:1]
    seen: list[int] = []
    cursor = ""
    while cursor is not None:
        page = (await orders.call("GET", f"{ORDERS}?limit=2{cursor and '&cursor=' + cursor}", user=BUYER)).json()
        seen += [entry["order_id"] for entry in page["orders"]]
        cursor = page["next_cursor"]
    assert seen == ids[::-1]


async def test_a_cursor_that_nobody_gave_is_refused(orders: Counter) -> None:
    for cursor in ("abc", "%00", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk", "é"):
        answer = await orders.call("GET", f"{ORDERS}?cursor={cursor}", user=BUYER)
        assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")
