"""What people of the company do, over HTTP: sellers list goods, buyers order and write."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.e2e.company import ADMIN, Company
from tests.parts.waiting import wait_until

PASSWORD = "password123"


def goods_on_sale(company: Company, seller: int, **changes: Any) -> int:
    """Goods that an admin approved."""
    lamp = {"title": "Lamp", "category": "home", "price": "3.50", "listed_quantity": 5, **changes}
    created = company.call("goods", "POST", "/api/v1/goods", user=seller, json=lamp)
    assert created.status_code == 201, created.text
    goods_id = int(created.json()["goods_id"])
    company.call("goods", "POST", f"/api/v1/goods/{goods_id}/submit", user=seller)
    approved = company.call("goods", "POST", f"/api/v1/goods/{goods_id}/approve", user=ADMIN)
    assert approved.json()["status"] == "ON_SALE", approved.text
    return goods_id


def known_to(company: Company, service: str, goods_id: int) -> None:
    """Wait until another service has heard that the goods are on sale."""
    sql = f"SELECT count(*) FROM listing WHERE goods_id = {goods_id:d} AND status = 'ON_SALE'"  # noqa: S608  # an int
    wait_until(lambda: company.rows(service, sql)[0][0])


def order(company: Company, buyer: int, goods_id: int, *, quantity: int = 1) -> dict[str, Any]:
    """A placed order, as answered."""
    body = {"lines": [{"goods_id": goods_id, "quantity": quantity}]}
    answer = company.call("order", "POST", "/api/v1/orders", user=buyer, json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def conversation(company: Company, buyer: int, goods_id: int) -> int:
    """A conversation with the seller of the goods."""
    answer = company.call("chat", "POST", "/api/v1/conversations", user=buyer, json={"goods_id": goods_id})
    assert answer.is_success, answer.text
    return int(answer.json()["conversation_id"])


def inbox(company: Company, user: int) -> list[str]:
    """Kinds of the notifications of a user, in order."""
    answer = company.call("notification", "GET", "/api/v1/notifications?limit=100", user=user)
    return [line["kind"] for line in answer.json()["notifications"]]


def registered(company: Company, *, locale: str) -> tuple[int, str]:
    """A new account: its number and its name."""
    name = f"u{uuid4().hex[:12]}"
    body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD, "locale": locale}
    answer = company.call("user", "POST", "/api/v1/users/register", json=body)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["user_id"]), name
