"""What the tables say must have been told, and what was told: counted from the services' databases and the topics.

An event's *name* here is what it is about ("ORDER_PAID 9007199254740993"): the outbox row with its id is gone once it was sent,
so that what a transaction committed can only be told from the tables.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from tests.e2e.company import Company
from tests.e2e.topics import Decoding, Seen, records
from treaty_runtime.event import Place
from treaty_runtime.testing.checker import Entry, check

LIFE = {
    0: ("ORDER_CREATED",),
    1: ("ORDER_CREATED", "ORDER_PAID", "ORDER_STATUS_CHANGED 2"),
    2: ("ORDER_CREATED", "ORDER_PAID", "ORDER_STATUS_CHANGED 2", "ORDER_STATUS_CHANGED 3"),
    3: (
        *("ORDER_CREATED", "ORDER_PAID", "ORDER_STATUS_CHANGED 2", "ORDER_STATUS_CHANGED 3"),
        "ORDER_STATUS_CHANGED 4",
    ),
    -1: ("ORDER_CREATED", "ORDER_CANCELLED", "ORDER_STATUS_CHANGED 2"),
}
"""Status of an order's row to the events of its life, in order."""

NOTICES = {
    "ORDER_CREATED": ("order_created", ("buyer", "seller")),
    "ORDER_PAID": ("order_paid", ("buyer", "seller")),
    "ORDER_CANCELLED": ("order_cancelled", ("buyer", "seller")),
    "ORDER_STATUS_CHANGED 3": ("order_shipped", ("buyer",)),
}

Names = Mapping[str, tuple[str, int]]
"""Name of an event to the key and the place in the order of its key."""


class Ledger:
    """One look at everything that concerns some goods; take it when the company has nothing left to do."""

    def __init__(self, company: Company, *, goods: Collection[int]) -> None:
        self.goods, self._company = frozenset(goods), company
        orders = self._of_goods(
            "order",
            "SELECT DISTINCT orders.id, buyer_id, seller_id, status, version FROM orders"
            " JOIN order_line ON order_id = orders.id WHERE goods_id IN",
        )
        self.orders = {row.id: row for row in orders}
        self.stock = self._of_goods("order", "SELECT * FROM stock WHERE goods_id IN")
        self.messages = self._of_goods(
            "chat",
            "SELECT conversation_id, sequence, recipient_id FROM message"
            " JOIN conversation ON conversation.id = conversation_id WHERE goods_id IN",
        )
        decode = Decoding(company)
        self.told: dict[str, list[Seen]] = defaultdict(list)
        for topic in ("order-events", "goods-events", "chat-events"):
            for record in records(company, topic):
                if "ce_id" in record.headers and (name := name_of(record, decode(record))):
                    self.told[name].append(record)

    def _of_goods(self, service: str, sql: str) -> Sequence[Any]:
        return self._company.rows(service, f"{sql} {listed(self.goods)}")

    def committed(self, topic: str) -> Names:
        """What the tables say was committed together with an event for the topic."""
        return dict(
            {"order-events": self._order_events, "goods-events": self._stock_events, "chat-events": self._chat_events}[
                topic
            ]()
        )

    def _order_events(self) -> Iterator[tuple[str, tuple[str, int]]]:
        for order_id, row in self.orders.items():
            assert row.version == 1 + sum(name.startswith("ORDER_STATUS_CHANGED") for name in LIFE[row.status]), row
            for place, name in enumerate(LIFE[row.status]):
                yield f"{order_id} {name}", (str(order_id), place)

    def _stock_events(self) -> Iterator[tuple[str, tuple[str, int]]]:
        for row in self.stock:
            for version in range(1, row.version + 1):
                yield f"{row.goods_id} STOCK_CHANGED {version}", (str(row.goods_id), version)

    def _chat_events(self) -> Iterator[tuple[str, tuple[str, int]]]:
        for row in self.messages:
            name = f"{row.conversation_id} CHAT_MESSAGE_CREATED {row.sequence}"
            yield name, (str(row.conversation_id), row.sequence)

    def verdicts(self, topic: str, *, service: str, group: str, only: Collection[str] = ()) -> list[str]:
        """What is wrong between the tables, the topic and the inbox of a group; ``only``: types that the group handles."""
        names = {name: place for name, place in self.committed(topic).items() if not only or name.split()[1] in only}
        history = [
            Entry(t=0, process="tables", op="stage", key=key, sequence=place, event_id=name)
            for name, (key, place) in names.items()
        ]
        ids: dict[UUID, str] = {}
        for name in names:
            for record in self.told[name]:
                ids[record.event_id] = name
                history.append(entry("record", name, names, record))
        if len(ids) > len({*ids.values()}):
            return [f"{topic}: events with two ids: {len(ids) - len({*ids.values()})}"]
        sql = 'SELECT event_id, partition, "offset" AS place, handled_at FROM inbox WHERE consumer = :group'
        rows = self._company.rows(service, sql, group=group)
        handled = [row for row in rows if UUID(str(row.event_id)) in ids]
        for number, row in enumerate(sorted(handled, key=lambda row: (str(row.handled_at), row.partition, row.place))):
            name = ids[UUID(str(row.event_id))]
            key, place = names[name]
            history.append(Entry(t=number, process=group, op="effect", key=key, sequence=place, event_id=name))
        return [f"{topic}, {group}: {verdict}" for verdict in check(history) if verdict.is_failure]

    def copies(self) -> int:
        """How many records were sent more than once: allowed, and a sign that kills hit."""
        return sum(len(found) - 1 for found in self.told.values() if found)

    def expected_notices(self) -> Counter[tuple[UUID, int, str]]:
        """Event id, user and kind of every notification that must exist, once each."""
        due: Counter[tuple[UUID, int, str]] = Counter()
        for order_id, row in self.orders.items():
            people = {"buyer": row.buyer_id, "seller": row.seller_id}
            for name in LIFE[row.status]:
                kind, told = NOTICES.get(name, ("", ()))
                for person in told:
                    due[self.told[f"{order_id} {name}"][0].event_id, people[person], kind] += 1
        for row in self.messages:
            event = self.told[f"{row.conversation_id} CHAT_MESSAGE_CREATED {row.sequence}"][0]
            due[event.event_id, row.recipient_id, "chat_message"] += 1
        return due

    def notices(self) -> Counter[tuple[UUID, int, str]]:
        """The same from the table of notifications, for the events of these goods."""
        names = (*self.committed("order-events"), *self.committed("chat-events"))
        ours = {record.event_id for name in names for record in self.told[name]}
        rows = self._company.rows("notification", "SELECT event_id, user_id, kind FROM notification")
        return Counter(
            (UUID(str(row.event_id)), row.user_id, row.kind) for row in rows if UUID(str(row.event_id)) in ours
        )

    def stock_faults(self) -> list[str]:
        """Where pieces of the stock rows are not those of the orders, or of other services' copies."""
        lines = self._of_goods(
            "order",
            "SELECT goods_id, status, sum(quantity) AS pieces FROM order_line JOIN orders ON orders.id = order_id"
            " GROUP BY goods_id, status HAVING goods_id IN",
        )
        pieces: Counter[tuple[int, str]] = Counter()
        for line in lines:
            state = {0: "reserved", -1: "back"}.get(line.status, "sold")
            pieces[line.goods_id, state] += int(line.pieces)
        goods = {row.id: row for row in self._of_goods("goods", "SELECT * FROM goods WHERE id IN")}
        faults = []
        for row in self.stock:
            is_right = (row.reserved, row.sold) == (pieces[row.goods_id, "reserved"], pieces[row.goods_id, "sold"])
            listed_is_kept = row.available + row.reserved + row.sold == goods[row.goods_id].listed_quantity
            shown = (goods[row.goods_id].available, goods[row.goods_id].stock_version) == (row.available, row.version)
            if not (is_right and listed_is_kept and row.available >= 0 and shown):
                faults.append(f"{row} with {dict(pieces)} and {goods[row.goods_id]}")
        return faults


def name_of(record: Seen, event: Mapping[str, Any]) -> str:
    """The name of an event, empty for one that no ledger counts."""
    match record.type:
        case "ORDER_STATUS_CHANGED":
            return f"{event['order_id']} {record.type} {event['order_version']}"
        case "ORDER_CREATED" | "ORDER_PAID" | "ORDER_CANCELLED":
            return f"{event['order_id']} {record.type}"
        case "STOCK_CHANGED":
            return f"{event['goods_id']} {record.type} {event['stock_version']}"
        case "CHAT_MESSAGE_CREATED":
            return f"{event['conversation_id']} {record.type} {event['sequence']}"
        case _:
            return ""


def entry(op: Any, name: str, names: Names, record: Seen) -> Entry:
    key, place = names[name]
    where = Place(record.topic, record.partition, record.offset)
    return Entry(t=record.offset, process="topic", op=op, key=key, sequence=place, event_id=name, place=where)


def listed(numbers: Collection[int]) -> str:
    """A list for SQL's IN; only ints get in."""
    return f"({', '.join(f'{number:d}' for number in numbers)})"
