"""A service with a past in topics in memory, whose running instance has handled what it was given: for rebuilds without Kafka."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import MetaData, text

from mall.database import Database
from mall.settings import Settings
from tests.parts.waiting import DEADLINE
from tests.treaty_runtime.order_events import FakeRegistry
from treaty_avro import compile_encoder
from treaty_runtime.clock import EPOCH
from treaty_runtime.event import Partition
from treaty_runtime.handlers import Group
from treaty_runtime.runtime import Runtime
from treaty_runtime.seek import Kind, Seek, Span
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.transport import Outgoing
from treaty_runtime.transport.memory import MemoryBroker, MemoryProducer
from treaty_runtime.wire.serde import frame
from treaty_runtime.wiring.connections import MemoryBounds, MemoryConnections

START, END = Seek(kind=Kind.START), Seek(kind=Kind.END)


class Forgetful(MemoryBounds):
    """Bounds of topics whose first records are gone."""

    def __init__(self, broker: MemoryBroker, gone: Mapping[str, int]) -> None:
        super().__init__(broker)
        self._gone = gone

    async def spans(self, topics: Sequence[str], *, start: Seek, end: Seek) -> dict[Partition, Span]:
        """As before, but from a later offset on."""
        found = await super().spans(topics, start=start, end=end)
        return {each: (max(span[0], self._gone.get(each.topic, 0)), span[1]) for each, span in found.items()}


class Connections(MemoryConnections):
    """A broker in memory that forgets the first records of topics when it is told to."""

    def __init__(self, broker: MemoryBroker) -> None:
        super().__init__(broker)
        self.broker, self.gone = broker, dict[str, int]()

    def bounds(self) -> MemoryBounds:
        """What the broker still holds."""
        return Forgetful(self.broker, self.gone)


@dataclass
class Past:
    """Topics of one partition, the service's database, and a runtime of the service on both."""

    database: Database
    runtime: Runtime
    connections: Connections
    registry: FakeRegistry
    settings: Settings
    _ids: dict[int, UUID] = field(default_factory=dict)

    async def tell(self, *events: Any, event_id: UUID | None = None) -> None:
        """Append events to their topics, at the time that they name."""
        producer = MemoryProducer(self.connections.broker)
        for event in events:
            kind = type(event)
            value = frame(self.registry.registered.index(kind) + 1) + compile_encoder(kind)(event)
            headers = (("ce_id", str(event_id or uuid4()).encode()), ("ce_type", event.__event_type__.encode()))
            at = (event.event_time - EPOCH) // timedelta(milliseconds=1)
            producer.produce(
                Outgoing(topic=kind.__topic__, key=b"k", value=value, headers=headers, timestamp_ms=at), lambda _: None
            )
        assert await producer.flush(timedelta(seconds=DEADLINE)) == 0

    async def live(self, group: str) -> None:
        """Let the running service handle what it has not handled."""
        report = await self.runtime.replay(group, start=START, end=END, beyond_inbox=True)
        assert not report.failed, report.failures

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the service's tables, sorted."""
        async with self.database.readers() as session:
            return sorted(map(tuple, await session.execute(text(sql))))

    async def change(self, *statements: str) -> None:
        """Write into the tables behind the service's back."""
        async with self.database.sessions.begin() as session:
            for statement in statements:
                await session.execute(text(statement))


async def past(
    service: str, database: Database, metadata: MetaData, groups: Sequence[Group], *, url: str, folder: Path
) -> Past:
    """A service with tables and empty topics."""
    await database.create(metadata)
    events = sorted({event for group in groups for event in group.handlers.events}, key=lambda each: each.__name__)
    connections = Connections(MemoryBroker(partitions=1))
    registry = FakeRegistry(*events)
    runtime = Runtime(
        service=service,
        settings=KafkaSettings(),
        events={event.__avro_fullname__: event for event in events},
        sessions=database.sessions,
        groups=groups,
        connections=connections,
        registry=registry,
    )
    key = folder / "public.pem"
    key.write_text("")
    env = {"DATABASE_URL": url, "MALL_JWT_PUBLIC_KEY_FILE": str(key)}
    return Past(database, runtime, connections, registry, Settings.from_env(service, env))


def at(moment: datetime, **later: float) -> datetime:
    """A time so much later."""
    return moment + timedelta(**later)
