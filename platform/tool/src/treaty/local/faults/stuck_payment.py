"""A record that the broker refuses for good: a topic took no large records for a moment, and the payment behind it waits for ever.

Law: git declares the limit, so whatever ends this in the middle is drift, which doctor tells and a plan mends.
"""

from __future__ import annotations

from typing import Any

from treaty.local.errors import StartFailed
from treaty.local.faults.planted import Planted, Site
from treaty.local.keys import ADMIN_USER_ID
from treaty.ops.service_database import ask
from treaty_runtime.admin import Cluster
from treaty_runtime.publish.outbox_desk import FailedStaged, OutboxDesk

NAME = "stuck-payment"
TOPIC, SETTING, TOO_SMALL = "saga.payment.start", "max.message.bytes", "100"
PLAN, APPLY = "treaty topics plan --out topics.plan.json", "treaty topics apply topics.plan.json --yes"
"""What puts a topic back as git declares it; `treaty up` does the same at its start."""
SELLER, BUYER = 11, 21
GOODS = {"title": "Desk lamp", "category": "dorm", "price": "29.90", "description": "Desk lamp", "listed_quantity": 5}


def plant(site: Site) -> Planted:
    """An order is paid while the topic takes no record of a usual size; afterwards the topic is as it was."""
    with Cluster(site.brokers) as cluster:
        before = cluster.topics()[TOPIC].config[SETTING]
        # Asked before anything is made: who is refused finds no goods and no order that they did not know of.
        if before == TOO_SMALL:
            raise StartFailed(
                f"{TOPIC} takes no more than {TOO_SMALL} bytes a record already: an earlier {NAME} was ended in the middle.",
                next_step=f"{PLAN} && {APPLY}",
            )
        order = _order(site)
        cluster.alter(TOPIC, {SETTING: TOO_SMALL})
        try:
            site.until(
                lambda: cluster.topics()[TOPIC].config.get(SETTING) == TOO_SMALL or None,
                what="The setting was not taken",
            )
            payment = site.until(lambda: _pay(site, order), what=f"The payment service had not heard of order {order}")
            site.until(lambda: _refused(site, payment), what="The broker refused nothing")
        finally:
            cluster.alter(TOPIC, {SETTING: before})
        site.until(
            lambda: cluster.topics()[TOPIC].config.get(SETTING) == before or None,
            what="The setting was not taken back",
        )
    return told(payment, service=site.services["payment"], database=site.database_options("payment"))


def told(payment: str, *, service: str, database: str) -> Planted:
    """What is printed of a payment that waits. Others may have paid meanwhile, and a broker may refuse for a moment longer than its
    settings say: what mends is all of the topic.
    """
    status = f'curl -s -H "Authorization: Bearer $(treaty token {BUYER})" {service}/api/v1/payments/{payment}'
    return Planted(
        name=NAME,
        story=f"User {BUYER} pays an order, and the payment stays CREATED. For a moment {TOPIC} took only {TOO_SMALL} bytes a record, "
        "so the broker refused the saga's first event for good; the setting is as it was, but what was refused is not sent "
        "again by itself. It stands in the outbox, and the later events of this payment wait behind it.",
        look=(status, f"treaty outbox status {database}"),
        mend=(f"treaty outbox retry --topic {TOPIC} --yes {database}",),
        proof=(f"treaty outbox status {database}", status),
    )


def _refused(site: Site, payment: str) -> bool | None:
    """Whether the payment's row is among the refused ones."""

    async def look(engine: Any) -> list[FailedStaged]:
        return await OutboxDesk(engine).failed(limit=100)

    url, schema = site.database("payment")
    return payment in {each.row.key for each in ask(url, schema, look)} or None


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
