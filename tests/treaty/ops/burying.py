"""Dead letters as a consumer writes them, and the commands on them as an operator has them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from treaty_runtime.event import Place, Record
from treaty_runtime.kafka.log import Log
from treaty_runtime.transport import Outgoing
from treaty_runtime.wire import headers as names
from treaty_runtime.wire.deadletter import dead_letter
from treaty_runtime.wire.failure import describe

GROUP = "order-view"


class OutOfStock(Exception):
    """Nothing left."""


def original(number: int, *, value: bytes, topic: str = "order-events", key: bytes = b"o-1") -> Record:
    """The record that a handler failed on; its event id is the number."""
    headers = ((names.ID, str(UUID(int=number)).encode()), (names.TYPE, b"order.created"), ("own", b"kept"))
    return Record(Place(topic, 0, number), key, value, headers, 1_700_000_000_000)


def buried(
    number: int,
    *,
    topic: str,
    value: bytes = b"\0\0\0\0\1x",
    group: str = GROUP,
    error: Exception | None = None,
    source: Record | None = None,
    limit: int = 1_000_000,
) -> Outgoing:
    """The dead letter of event ``number``."""
    return dead_letter(
        source or original(number, value=value),
        topic=topic,
        group=group,
        reason="failed no stock",
        handler="tell_seller",
        event_type="order.created",
        failure=describe(error or OutOfStock("no stock")),
        limit=limit,
    )


@dataclass(frozen=True, slots=True)
class Cemetery:
    """A dead-letter topic of the test's own, and the group whose letters lie in it."""

    log: Log
    topic: str
    group: str

    def bury(self, *numbers: int, error: Exception | None = None, value: bytes = b"\0\0\0\0\1x") -> list[Place]:
        """Appends letters; answers their places."""
        return [
            self.log.append(buried(number, topic=self.topic, group=self.group, error=error, value=value))
            for number in numbers
        ]

    def sent_back(self) -> list[Record]:
        """What lies in the group's own retry topic."""
        return list(self.log.read(self.log.spans([f"retry.{self.group}.0s"])))
