"""A topic's setting that was changed by hand: the broker takes no record of it any more, and the payment behind it waits."""

from __future__ import annotations

from typing import Any

from treaty.local.faults.planted import Planted, Site
from treaty.local.keys import ADMIN_USER_ID
from treaty_runtime.admin import Cluster

NAME = "stuck-payment"
TOPIC, SETTING, TOO_MANY = "saga.payment.start", "min.insync.replicas", "2"
SELLER, BUYER = 11, 21
GOODS = {"title": "Desk lamp", "category": "dorm", "price": "29.90", "description": "Desk lamp", "listed_quantity": 5}
PLAN = "topics.plan.json"


def plant(site: Site) -> Planted:
    """An order is placed, the setting raised, and the order paid."""
    order = _order(site)
    with Cluster(site.brokers) as cluster:
        cluster.alter(TOPIC, {SETTING: TOO_MANY})
        site.until(
            lambda: cluster.topics()[TOPIC].config.get(SETTING) == TOO_MANY or None, what="The setting was not taken"
        )
    payment = site.until(lambda: _pay(site, order), what=f"The payment service had not heard of order {order}")
    return told(payment, service=site.services["payment"])


def told(payment: str, *, service: str) -> Planted:
    """What is printed of a payment that waits."""
    status = f'curl -s -H "Authorization: Bearer $(treaty token {BUYER})" {service}/api/v1/payments/{payment}'
    return Planted(
        name=NAME,
        story=f"User {BUYER} pays an order, and the payment stays CREATED: {TOPIC} now wants {TOO_MANY} replicas in sync, this "
        "cluster has one broker, so the saga's first event waits in the outbox. Nothing is lost, and nothing else is refused. "
        "(After five minutes the saga gives the payment up, and the order can be paid again.)",
        look=(status, "treaty topics plan"),
        mend=(f"treaty topics plan --out {PLAN}", f"treaty topics apply {PLAN} --yes"),
        proof=("treaty topics plan", status),
    )


def _order(site: Site) -> int:
    """The id of a placed order for goods that were just listed."""
    listed = site.until(
        lambda: site.call("goods", "POST", "/goods", user=SELLER, body=GOODS), what="The goods were not taken"
    )
    goods = listed["goods_id"]
    site.call("goods", "POST", f"/goods/{goods}/submit", user=SELLER)
    site.call("goods", "POST", f"/goods/{goods}/approve", user=ADMIN_USER_ID)
    body = {"lines": [{"goods_id": goods, "quantity": 1}]}
    placed = site.until(
        lambda: site.call("order", "POST", "/orders", user=BUYER, body=body),
        what=f"The order service had not heard of goods {goods}",
    )
    return int(placed["order_id"])


def _pay(site: Site, order: int) -> str | None:
    body = {"order_id": order, "method": "CARD"}
    answer: Any = site.call("payment", "POST", "/payments", user=BUYER, body=body)
    return None if answer is None else str(answer["payment_id"])
