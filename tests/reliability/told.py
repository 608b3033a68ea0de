"""Everything that a company told, as an outsider reads it: each event once, where it stands first in its topic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.e2e.company import Company
from tests.e2e.topics import Decoding, Seen, records
from treaty.ops.schemas import load_project
from treaty_codegen.catalog import Catalog, Topic
from treaty_codegen.contract import event_type_of

NUMBERED = {
    "ORDER_STATUS_CHANGED": "order_version",
    "STOCK_CHANGED": "stock_version",
    "GOODS_UPDATED": "goods_version",
    "CHAT_MESSAGE_CREATED": "sequence",
    "accounting.balance.updated": "balance_version",
    "user.notifications": "sequence",
}
"""Event types that number their key's events, and the field that holds the number: a witness of order that needs no table."""
FIRST = {"ORDER_STATUS_CHANGED": 2}
"""An order's first version is told by ORDER_CREATED."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event and its fields."""

    record: Seen
    fields: Mapping[str, Any]

    @property
    def id(self) -> UUID:
        """Its `ce_id`."""
        return self.record.event_id


class Telling:
    """All declared topics but those of dead letters, read once. ``copies``: records that were sent again."""

    def __init__(self, company: Company) -> None:
        self.catalog: Catalog = load_project(company.settings)
        self.events: dict[str, list[Told]] = defaultdict(list)
        self.records = 0
        decode = Decoding(company)
        for topic in self.catalog.topics.values():
            if topic.events:
                self._read(company, topic, decode)

    @property
    def copies(self) -> int:
        """How many records were sent again: allowed, and a sign that kills hit."""
        return self.records - sum(map(len, self.events.values()))

    def of(self, kind: str) -> list[Told]:
        """Events of a type, in the order of their partitions."""
        return [told for found in self.events.values() for told in found if told.record.type == kind]

    def handled_by(self, group: str) -> Iterator[Told]:
        """What a group has to handle, as `topics.toml` declares it."""
        for topic in self.catalog.topics.values():
            for consumer in topic.consumers:
                if consumer.group == group:
                    kinds = {event_type_of(topic, event=name) for name in consumer.events or topic.events}
                    yield from (told for told in self.events[topic.name] if told.record.type in kinds)

    def order_faults(self) -> list[str]:
        """Keys whose numbered events have a gap, or stand in another order than their numbers."""
        numbers: dict[tuple[str, str], list[int]] = defaultdict(list)
        for found in self.events.values():
            for told in found:
                if told.record.type in NUMBERED:
                    number = told.fields[NUMBERED[told.record.type]]
                    numbers[told.record.type, told.record.key].append(int(number))
        return [
            f"order: {kind} of {key}: {seen}"
            for (kind, key), seen in numbers.items()
            if seen != list(range(FIRST.get(kind, 1), FIRST.get(kind, 1) + len(seen)))
        ]

    def _read(self, company: Company, topic: Topic, decode: Decoding) -> None:
        known: set[UUID] = set()
        for record in records(company, topic.name):
            self.records += 1
            if record.event_id not in known:
                known.add(record.event_id)
                self.events[topic.name].append(Told(record, decode(record)))
