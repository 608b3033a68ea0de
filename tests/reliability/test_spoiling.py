"""What is spoiled of a company's telling shows, whatever became of the orders."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from typing import Any
from uuid import uuid4

from tests.e2e.topics import Seen
from tests.reliability.spoiling import spoil
from tests.reliability.told import Telling, Told
from tests.reliability.witness import _orders


class OrderTables:
    """The rows of two orders that were paid; the first is cancelled as well."""

    def __init__(self) -> None:
        self._base = sqlite3.connect(":memory:")
        for table, key in (("orders", "id"), ("order_view", "order_id")):
            self._base.execute(f"CREATE TABLE {table} ({key} INTEGER, status INTEGER, version INTEGER)")
            self._base.execute(f"INSERT INTO {table} VALUES (1, -1, 3), (2, 1, 2)")  # noqa: S608  # our words

    def rows(self, _service: str, sql: str) -> list[Any]:
        """As `Company.rows` gives them."""
        return [Row(row) for row in self._base.execute(sql)]


class Row(tuple[int, ...]):
    """Key, status, version."""

    __slots__ = ()
    status = property(lambda self: self[1])
    version = property(lambda self: self[2])


def told(topic: str, kind: str, key: str, **fields: object) -> Told:
    headers = {"ce_id": str(uuid4()).encode(), "ce_type": kind.encode()}
    return Told(Seen(topic=topic, partition=0, offset=0, key=key, value=b"", headers=headers), fields)


def of_order(kind: str, order_id: int, **fields: object) -> Told:
    return told("order-events", kind, str(order_id), order_id=order_id, **fields)


def telling() -> Telling:
    made = object.__new__(Telling)
    made.events = defaultdict(list)
    for order_id in (1, 2):
        made.events["order-events"] += [
            of_order("ORDER_CREATED", order_id),
            of_order("ORDER_PAID", order_id),
            of_order("ORDER_STATUS_CHANGED", order_id, current_status="PAID", order_version=2),
        ]
    made.events["order-events"] += [
        of_order("ORDER_CANCELLED", 1),
        of_order("ORDER_STATUS_CHANGED", 1, current_status="CANCELLED", order_version=3),
    ]
    for user, number in ((7, 1), (8, 1), (8, 2)):
        made.events["user.notifications"].append(
            told("user.notifications", "user.notifications", str(user), user_id=user, sequence=number)
        )
    return made


def names(found: Telling) -> list[str]:
    company: Any = OrderTables()
    return [sentence.partition(":")[0] for sentence in [*found.order_faults(), *_orders(company, found)]]


def test_an_order_taken_out_whole_and_a_first_push_are_named_and_nothing_is_before() -> None:
    found = telling()
    assert names(found) == []
    spoil(found)
    assert names(found) == ["order", "orders", "order_view"]
    assert [(told.fields["order_id"], told.record.type) for told in found.of("ORDER_CREATED")] == [(1, "ORDER_CREATED")]
    assert [told.fields["user_id"] for told in found.of("user.notifications")] == [7, 8]
