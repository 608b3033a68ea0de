"""Money on real parts: paid, declined, asked back, settled; and the books agree."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.company import ADMIN, Company
from tests.e2e.market import goods_on_sale, known_to, order
from tests.parts.waiting import wait_until

pytestmark = [
    pytest.mark.long,
    pytest.mark.kafka,
    pytest.mark.redis,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("e2e"),
]


def pay(company: Company, buyer: int, order_id: int) -> str:
    """The id of a new payment; the payment service may hear of the order only now."""
    body = {"order_id": order_id, "method": "CARD"}

    def asked() -> str:
        answer = company.call("payment", "POST", "/api/v1/payments", user=buyer, json=body)
        assert answer.status_code in (201, 404), answer.text
        return str(answer.json().get("payment_id", ""))

    return wait_until(asked)


def payment(company: Company, payment_id: str) -> dict[str, Any]:
    return dict(company.call("payment", "GET", f"/api/v1/payments/{payment_id}", user=ADMIN).json())


def status(company: Company, order_id: int) -> str:
    return str(company.call("order", "GET", f"/api/v1/orders/{order_id}", user=ADMIN).json()["status"])


def books(company: Company) -> dict[str, int]:
    answer = company.call("payment", "GET", "/api/v1/accounting/conservation", user=ADMIN)
    sums: dict[str, int] = answer.json()
    assert sums["difference"] == 0
    return sums


def test_an_order_is_paid_shipped_confirmed_and_settled_with_its_merchant(company: Company) -> None:
    buyer, seller = company.new_user(), company.new_user()
    goods_id = goods_on_sale(company, seller)
    known_to(company, "order", goods_id)
    order_id = order(company, buyer, goods_id, quantity=2)["order_id"]
    payment_id = pay(company, buyer, order_id)
    wait_until(lambda: status(company, order_id) == "PAID")
    assert payment(company, payment_id)["status"] == "SUCCEEDED"
    for step, user in (("ship", seller), ("confirm", buyer)):
        assert company.call("order", "POST", f"/api/v1/orders/{order_id}/{step}", user=user).status_code == 200
    account = f"/api/v1/accounting/balances/merchant:{seller}"
    wait_until(lambda: company.call("payment", "GET", account, user=seller).status_code == 200)
    assert company.call("payment", "GET", account, user=seller).json()["balance"] == 700 - 4
    assert books(company)["settled"] >= 696


def test_a_declined_payment_leaves_the_order_to_the_next_one(company: Company) -> None:
    buyer, seller = company.new_user(), company.new_user()
    goods_id = goods_on_sale(company, seller, price="1.13")
    known_to(company, "order", goods_id)
    order_id = order(company, buyer, goods_id)["order_id"]
    payment_id = pay(company, buyer, order_id)
    wait_until(lambda: payment(company, payment_id)["status"] == "FAILED")
    assert payment(company, payment_id)["failure_code"] == "declined"
    assert pay(company, buyer, order_id) != payment_id
    assert status(company, order_id) == "PENDING_PAYMENT"


def test_money_that_is_asked_back_comes_back_and_the_goods_are_for_sale_again(company: Company) -> None:
    buyer, seller = company.new_user(), company.new_user()
    goods_id = goods_on_sale(company, seller, listed_quantity=1)
    known_to(company, "order", goods_id)
    order_id = order(company, buyer, goods_id)["order_id"]
    payment_id = pay(company, buyer, order_id)
    wait_until(lambda: status(company, order_id) == "PAID")
    asked = company.call("order", "POST", f"/api/v1/orders/{order_id}/refund", user=buyer)
    assert (asked.status_code, asked.json()["refund_requested"]) == (200, True)
    wait_until(lambda: status(company, order_id) == "REFUNDED")
    assert payment(company, payment_id)["refund"]["reason"] == "refund_requested"
    assert order(company, buyer, goods_id)["status"] == "PENDING_PAYMENT"
    books(company)
