"""A service's outbox with everything around it, made in one call."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from tests.parts.waiting import eventually
from tests.treaty_runtime.order_events import CATALOG, FakeRegistry, OrderCreated, OrderSeen
from treaty_runtime.hooks import Hooks
from treaty_runtime.publish.backlog import Backlog, Pending, Refusal
from treaty_runtime.publish.late_ids import LateIds
from treaty_runtime.publish.lease import TIMES, Lease, LeaseTimes
from treaty_runtime.publish.outbox import Outbox
from treaty_runtime.publish.relay import Relay, RelaySettings
from treaty_runtime.sql.tables import OutboxRow
from treaty_runtime.transport import Delivery, Fault, FaultKind, LeaseFence, Outgoing, Producer
from treaty_runtime.transport.memory import MemoryBroker, MemoryProducer
from treaty_runtime.wire.headers import ID, first_values
from treaty_runtime.wire.serde import Serde

QUICK = RelaySettings(
    poll=timedelta(milliseconds=5),
    held_again=timedelta(milliseconds=100),
    late_after=timedelta(milliseconds=50),
    longest_wait=timedelta(milliseconds=50),
    last_answers=timedelta(milliseconds=50),
)
_numbers = count(1)


@dataclass
class Service:
    """An outbox on an engine, a broker in memory, and what the hooks told."""

    engine: AsyncEngine
    registry: FakeRegistry = field(default_factory=lambda: FakeRegistry(OrderCreated, OrderSeen))
    broker: MemoryBroker = field(default_factory=lambda: MemoryBroker(partitions=1))
    seen: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Builds the parts that need the others."""
        self.hooks = Hooks([self.seen.append])
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self.serde = Serde(self.registry)
        self.outbox = Outbox(self.serde, service="order", now=lambda: datetime.now(UTC), entropy=os.urandom)

    async def stage(self, *pairs: tuple[str, int]) -> None:
        """Stage an OrderCreated for each (order, number), in one transaction."""
        async with self.sessions.begin() as session:
            for order_id, number in pairs:
                self.outbox.stage(session, OrderCreated(order_id=order_id, number=number))

    def lease(self, *, clock: Callable[[], float] = time.monotonic, times: LeaseTimes = TIMES) -> Lease:
        """A lease of a new owner."""
        return Lease(self.engine, owner=f"relay-{next(_numbers)}", clock=clock, times=times)

    def relay(
        self,
        *,
        producer: Producer | None = None,
        lease: Lease | None = None,
        keeps: bool = False,
        backlog: Backlog | None = None,
        batch: int = QUICK.batch,
        clock: Callable[[], float] = time.monotonic,
    ) -> Relay:
        """A relay with a registry client and a producer of its own."""
        return Relay(
            backlog=backlog or Backlog(self.engine, keeps=keeps),
            lease=lease or self.lease(),
            fence=LeaseFence(producer or MemoryProducer(self.broker)),
            late_ids=LateIds(Serde(self.registry), CATALOG),
            registry_url="http://registry:8081",
            clock=clock,
            random=random.random,
            hooks=self.hooks,
            settings=replace(QUICK, batch=batch),
        )

    def sent(self, topic: str = "order-events") -> list[tuple[str, str]]:
        """Key and event id of every record of a topic, in order."""
        return [
            ((record.key or b"").decode(), first_values(record.headers)[ID].decode())
            for record in self.broker.records(topic)
        ]

    async def staged(self) -> list[tuple[str, str]]:
        """Key and event id of every row, in order."""
        async with self.sessions() as session:
            rows = await session.execute(select(OutboxRow.aggregateid, OutboxRow.id).order_by(OutboxRow.position))
            return [(key, str(event_id)) for key, event_id in rows]

    async def waiting(self) -> int:
        """How many rows wait."""
        async with self.sessions() as session:
            return int(await session.scalar(select(func.count()).select_from(OutboxRow)) or 0)

    def heard(self, kind: type[object]) -> list[object]:
        """Hook records of one kind."""
        return [hook for hook in self.seen if type(hook) is kind]


class SilentProducer(MemoryProducer):
    """Takes records and acknowledges them when told to."""

    def __init__(self, service: Service) -> None:
        super().__init__(service.broker)
        self.taken: list[tuple[Outgoing, Callable[[Delivery], None]]] = []
        self.purges = 0

    def purge(self) -> None:
        """Nothing is on a wire; who asked is counted."""
        self.purges += 1

    def produce(self, record: Outgoing, done: Callable[[Delivery], None]) -> None:
        """Keeps it."""
        self.taken.append((record, done))

    def acknowledge(self) -> int:
        """Answers what was taken; how many these were."""
        taken, self.taken = self.taken, []
        for record, done in taken:
            done(self._broker.append(record))
        return len(taken)


class LateRefuser(SilentProducer):
    """Refuses what it took, when told to."""

    def refuse(self) -> None:
        """Says no to all of it."""
        taken, self.taken = self.taken, []
        for _, done in taken:
            done(Delivery(None, -1, Fault("INVALID_RECORD", "no", FaultKind.REFUSED)))


async def set_aside(engine: AsyncEngine, row: Pending) -> None:
    """Notes a row as one that the broker refused, as a relay does."""
    lease = Lease(engine, owner=f"relay-{next(_numbers)}", clock=time.monotonic)
    await lease.renew()
    refusal = Refusal(row=row, code="MSG_SIZE_TOO_LARGE", error="too large", overtaken=False)
    assert await Backlog(engine).fail([refusal], owner=lease.owner, epochs=lease.held) == 1
    await lease.leave()


def lasting(service: Service) -> Lease:
    """A lease that does not end while a test lasts."""
    return service.lease(clock=lambda: 0.0, times=LeaseTimes(lease_seconds=3600.0))


async def renewed(relay: Relay) -> Relay:
    """The relay, holding its lanes."""
    await relay._renew()
    return relay


@asynccontextmanager
async def running(*relays: Relay) -> AsyncIterator[None]:
    """Runs relays, and stops them in good order."""
    async with asyncio.TaskGroup() as group:
        for relay in relays:
            group.create_task(relay.run())
        try:
            yield
        finally:
            for relay in relays:
                relay.stop()


until = eventually
Sessions = async_sessionmaker[AsyncSession]
