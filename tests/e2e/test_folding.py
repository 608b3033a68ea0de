"""The topic is the history: folding `order-events`, as an outsider reads it, gives the rows of the order service's own tables."""

from __future__ import annotations

from typing import Any

import pytest

from mall.order.domain import Order, evolve
from mall.order.tables import STATUS_CODES
from mall_events.order import OrderCancelled, OrderCreated, OrderPaid, OrderStatusChanged
from tests.e2e.books import plain
from tests.e2e.company import ADMIN, Company
from tests.e2e.market import goods_on_sale, known_to, order
from tests.e2e.topics import records
from treaty_avro import compile_decoder

pytestmark = [
    pytest.mark.long,
    pytest.mark.kafka,
    pytest.mark.redis,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("e2e"),
]
FOLDED = {event.__event_type__: event for event in (OrderCreated, OrderStatusChanged, OrderPaid, OrderCancelled)}
FRAME_BYTES = 5


def test_folding_the_topic_gives_every_order(company: Company) -> None:
    buyer, seller = company.new_user(), company.new_user()
    goods_id = goods_on_sale(company, seller, listed_quantity=100)
    known_to(company, "order", goods_id)
    placed = [order(company, buyer, goods_id, quantity=number + 1)["order_id"] for number in range(4)]
    for order_id, step, user in (
        (placed[0], "mark-paid", ADMIN),
        (placed[0], "ship", seller),
        (placed[1], "cancel", buyer),
        (placed[2], "mark-paid", ADMIN),
    ):
        assert company.call("order", "POST", f"/api/v1/orders/{order_id}/{step}", user=user).status_code == 200
    company.settle()

    folded = fold(company)
    rows = company.rows("order", "SELECT id, status, version, total, payment_id FROM orders")
    assert {row.id: (row.status, row.version, row.total, plain(row.payment_id)) for row in rows} == {
        each.order_id: (STATUS_CODES[each.status], each.version, int(each.total * 100), plain(each.payment_id))
        for each in folded.values()
    }
    lines = company.rows("order", "SELECT order_id, goods_id, quantity FROM order_line")
    assert sorted(map(tuple, lines)) == sorted(
        (each.order_id, line.goods_id, line.quantity) for each in folded.values() for line in each.lines
    )
    assert set(placed) <= set(folded)


def fold(company: Company) -> dict[int, Order]:
    """Every order of the topic, by its events in the order of their partition; what is no event is passed over."""
    folded: dict[int, Order] = {}
    decoders = {name: compile_decoder(event) for name, event in FOLDED.items()}
    for record in records(company, "order-events"):
        if record.headers.get("ce_type", b"").decode() not in FOLDED:
            continue
        event: Any = decoders[record.type](record.value[FRAME_BYTES:])
        after = evolve(folded.get(event.order_id), event)
        assert after is not None, record
        folded[event.order_id] = after
    return folded
