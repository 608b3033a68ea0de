"""One order, end to end, on real parts: from the seller's draft to both inboxes, the live screen and the ranking."""

from __future__ import annotations

import json
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.e2e.company import ADMIN, Company
from tests.e2e.market import conversation, goods_on_sale, inbox, known_to, order
from tests.parts.waiting import DEADLINE, wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.timeout(1800), pytest.mark.xdist_group("e2e")]
PUBLISHED, HANDLED = "kafka_producer_messages_total", "kafka_consumer_messages_total"


def test_an_order_reaches_both_inboxes_a_live_screen_and_the_ranking(company: Company) -> None:
    buyer, seller = company.new_user(), company.new_user()
    goods_id = goods_on_sale(company, seller)
    known_to(company, "order", goods_id)
    ticket = company.call("notification", "POST", "/api/v1/ws-tickets", user=buyer).json()["ticket"]
    address = company.url("notification").replace("http", "ws")
    with connect(f"{address}/ws?ticket={ticket}", open_timeout=DEADLINE, ping_timeout=None) as screen:
        screen.send(json.dumps({"resume": 0}))
        placed = order(company, buyer, goods_id, quantity=2)
        live = json.loads(screen.recv(timeout=DEADLINE))
    assert (live["kind"], live["link"]) == ("order_created", f"/orders/{placed['order_id']}")
    wait_until(lambda: inbox(company, buyer) == ["order_created"] and inbox(company, seller) == ["order_created"])

    wait_until(lambda: score(company, goods_id) == 10)
    company.call("goods", "GET", f"/api/v1/goods/{goods_id}", user=buyer)
    wait_until(lambda: score(company, goods_id) == 11)
    cached = f"/api/v1/cache/goods/{goods_id}"
    wait_until(lambda: company.call("cache", "GET", cached).json().get("available") == 3)
    assert company.call("goods", "GET", f"/api/v1/goods/{goods_id}", user=buyer).json()["status"] == "ON_SALE"


def test_counters_move_with_an_order_and_every_group_catches_up(company: Company) -> None:
    buyer, seller = company.new_user(), company.new_user()
    goods_id = goods_on_sale(company, seller)
    known_to(company, "order", goods_id)
    created = {"topic": "order-events", "event_type": "ORDER_CREATED"}

    def counts() -> tuple[float, float, float]:
        return (
            company.metric("order", PUBLISHED, **created),
            company.metric("notification", HANDLED, consumergroup="notification-service", **created),
            company.metric("cache", HANDLED, consumergroup="cache-service", **created),
        )

    before = counts()
    order(company, buyer, goods_id)
    # An attempt that is repeated counts again.
    wait_until(lambda: all(count > old for count, old in zip(counts(), before, strict=True)))
    wait_until(lambda: not company.behind())


def test_an_order_is_paid_shipped_and_confirmed_and_its_history_says_so(company: Company) -> None:
    buyer, seller = company.new_user(), company.new_user()
    goods_id = goods_on_sale(company, seller)
    known_to(company, "order", goods_id)
    path = f"/api/v1/orders/{order(company, buyer, goods_id)['order_id']}"
    for step, user in (("mark-paid", ADMIN), ("ship", seller), ("confirm", buyer)):
        assert company.call("order", "POST", f"{path}/{step}", user=user).status_code == 200

    def statuses() -> list[str]:
        steps = company.call("order", "GET", f"{path}/history", user=buyer).json()["steps"]
        return [step["status"] for step in steps]

    wait_until(lambda: statuses() == ["PENDING_PAYMENT", "PAID", "SHIPPED", "COMPLETED"])
    wait_until(lambda: inbox(company, buyer) == ["order_created", "order_paid", "order_shipped"])


def test_goods_sell_out_and_a_cancelled_order_brings_them_back(company: Company) -> None:
    buyer, seller = company.new_user(), company.new_user()
    goods_id = goods_on_sale(company, seller, listed_quantity=1)
    known_to(company, "order", goods_id)
    placed = order(company, buyer, goods_id)

    def status() -> str:
        return str(company.call("goods", "GET", f"/api/v1/goods/{goods_id}").json()["status"])

    wait_until(lambda: status() == "SOLD_OUT")
    cancelled = company.call("order", "POST", f"/api/v1/orders/{placed['order_id']}/cancel", user=buyer)
    assert cancelled.status_code == 200
    wait_until(lambda: status() == "ON_SALE")
    wait_until(lambda: inbox(company, seller) == ["order_created", "order_cancelled"])


def test_a_message_is_told_to_its_recipient(company: Company) -> None:
    buyer, seller = company.new_user(), company.new_user()
    goods_id = goods_on_sale(company, seller)
    known_to(company, "chat", goods_id)
    path = f"/api/v1/conversations/{conversation(company, buyer, goods_id)}/messages"
    assert company.call("chat", "POST", path, user=buyer, json={"text": "Hello"}).status_code == 201
    wait_until(lambda: inbox(company, seller) == ["chat_message"])


def score(company: Company, goods_id: int) -> int:
    ranking: list[dict[str, Any]] = company.call("cache", "GET", "/api/v1/ranking/hot?limit=100").json()["goods"]
    return next((place["score"] for place in ranking if place["goods_id"] == goods_id), 0)
