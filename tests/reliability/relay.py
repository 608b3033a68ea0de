"""A relay as a process of its own, with short leases, until killed."""

from __future__ import annotations

import asyncio
import os
import random
import time
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.reliability.service import event_on
from tests.treaty_runtime.order_events import FakeRegistry
from treaty_runtime.kafka import KafkaFence, KafkaProducer
from treaty_runtime.kafka.config import relay_config
from treaty_runtime.publish.backlog import Backlog
from treaty_runtime.publish.late_ids import LateIds
from treaty_runtime.publish.lease import Lease, LeaseTimes
from treaty_runtime.publish.relay import Relay, RelaySettings
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.sql import database
from treaty_runtime.transport import Delivery, Fence, FenceKind, LeaseFence, Outgoing
from treaty_runtime.wire.serde import Serde

TIMES = LeaseTimes(lease_seconds=1.5, renew_seconds=0.4, margin_seconds=0.4)
_FEW = 7
"""Rows that the wrong relay takes at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayLife:
    """One life of a relay."""

    name: str
    brokers: str
    database: str
    topic: str
    batch: int = 200
    fault: str = ""
    fence: FenceKind = "lease"


def relay(life: RelayLife) -> None:
    """Relays until killed."""
    asyncio.run(_wrong(life) if life.fault == "skip-locked" else _relay(life))


async def _relay(life: RelayLife) -> None:
    engine, event = database.open_engine(life.database), event_on(life.topic)
    await Relay(
        backlog=Backlog(engine),
        lease=Lease(engine, owner=f"{life.name}-{os.getpid()}", clock=time.monotonic, times=TIMES),
        fence=_fence(life),
        late_ids=LateIds(Serde(FakeRegistry(event)), {event.__avro_fullname__: event}),
        registry_url="http://registry:8081",
        clock=time.monotonic,
        random=random.random,
        settings=RelaySettings(batch=life.batch, poll=timedelta(milliseconds=20)),
    ).run()


def _fence(life: RelayLife) -> Fence:
    if life.fence == "transaction":
        return KafkaFence(KafkaSettings(brokers=life.brokers), service=life.topic)
    return LeaseFence(_producer(life))


def _producer(life: RelayLife) -> KafkaProducer:
    return KafkaProducer(relay_config(KafkaSettings(brokers=life.brokers)))


async def _wrong(life: RelayLife) -> None:
    """What many relays do: whoever comes takes the next rows that nobody has locked, and nobody owns a key."""
    engine, producer = database.open_engine(life.database), _producer(life)
    while True:
        if not await _take(engine, producer):
            await asyncio.sleep(0.01)


async def _take(engine: AsyncEngine, producer: KafkaProducer) -> bool:
    async with engine.begin() as connection:
        rows = (
            await connection.execute(
                text(
                    "SELECT position, aggregatetype, aggregateid, payload, id FROM outbox"
                    " ORDER BY position LIMIT :few FOR UPDATE SKIP LOCKED"
                ),
                {"few": _FEW},
            )
        ).all()
        waiting = [asyncio.get_running_loop().create_future() for _ in rows]
        for row, answer in zip(rows, waiting, strict=True):
            headers = (("ce_id", str(row.id).encode()),)
            record = Outgoing(topic=row.aggregatetype, key=row.aggregateid.encode(), value=row.payload, headers=headers)
            producer.produce(record, lambda delivery, answer=answer: answer.set_result(delivery))  # type: ignore[misc]  # the default binds the loop's value
        answered: list[Delivery] = await asyncio.gather(*waiting)
        assert all(delivery.fault is None for delivery in answered)
        positions = [row.position for row in rows]
        await connection.execute(text("DELETE FROM outbox WHERE position = ANY(:positions)"), {"positions": positions})
    return bool(rows)
