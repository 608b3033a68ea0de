"""Counters and reports on real parts say what a recount of the services' tables says, also after the service was killed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.company import ADMIN, Company
from tests.e2e.market import goods_on_sale, known_to, order

pytestmark = [
    pytest.mark.long,
    pytest.mark.kafka,
    pytest.mark.redis,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("e2e"),
]


def figures(company: Company, name: str) -> list[list[Any]]:
    answer = company.call("analytics", "GET", f"/api/v1/reports/{name}.json", user=ADMIN)
    assert answer.status_code == 200, answer.text
    rows: list[list[Any]] = answer.json()["rows"]
    return rows


def counted(company: Company, name: str) -> int:
    return int(
        company.rows("analytics", "SELECT coalesce(sum(value), 0) FROM counter WHERE name = :name", name=name)[0][0]
    )


def recount(company: Company, condition: str = "1 = 1") -> int:
    return int(company.rows("order", f"SELECT count(*) FROM orders WHERE {condition}")[0][0])  # noqa: S608  # our words


def assert_recount(company: Company) -> None:
    company.settle()
    placed, paid, cancelled = (
        recount(company),
        recount(company, "payment_id IS NOT NULL"),
        recount(company, "status = -1"),
    )
    assert (counted(company, "orders_created"), counted(company, "orders_paid")) == (placed, paid)
    assert counted(company, "orders_cancelled") == cancelled
    funnel = dict(tuple(row) for row in figures(company, "funnel"))
    assert (funnel["ordered"], funnel["paid"]) == (placed, paid)
    assert sum(row[1] for row in figures(company, "cancel_reasons")) == cancelled


def test_counters_and_reports_are_a_recount_also_after_a_death(company: Company) -> None:
    buyer, seller = company.new_user(), company.new_user()
    goods_id = goods_on_sale(company, seller, listed_quantity=100)
    known_to(company, "order", goods_id)
    orders = [order(company, buyer, goods_id)["order_id"] for _ in range(6)]
    for order_id, step, user in ((orders[0], "mark-paid", ADMIN), (orders[1], "cancel", buyer)):
        assert company.call("order", "POST", f"/api/v1/orders/{order_id}/{step}", user=user).status_code == 200
    assert_recount(company)

    for order_id in orders[2:4]:
        company.call("order", "POST", f"/api/v1/orders/{order_id}/mark-paid", user=ADMIN)
    company.kill("analytics")
    company.call("order", "POST", f"/api/v1/orders/{orders[4]}/cancel", user=buyer)
    company.restart("analytics")
    assert_recount(company)
    live = company.call("analytics", "GET", "/api/v1/analytics/live", user=ADMIN).json()
    assert live["today"]["orders_paid"] >= 3
