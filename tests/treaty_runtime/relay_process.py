"""A relay as a process of its own, with short leases: `python -m … DATABASE_URL BOOTSTRAP`, until killed."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from datetime import timedelta

from tests.treaty_runtime.order_events import CATALOG, FakeRegistry, OrderCreated, OrderSeen
from treaty_runtime.kafka import KafkaProducer
from treaty_runtime.kafka.config import relay_config
from treaty_runtime.publish.backlog import Backlog
from treaty_runtime.publish.late_ids import LateIds
from treaty_runtime.publish.lease import Lease, LeaseTimes
from treaty_runtime.publish.relay import Relay, RelaySettings
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.sql import database
from treaty_runtime.transport import LeaseFence
from treaty_runtime.wire.serde import Serde

TIMES = LeaseTimes(lease_seconds=1.5, renew_seconds=0.4, margin_seconds=0.4)


async def main(url: str, bootstrap: str) -> None:
    """Relay until killed."""
    engine = database.open_engine(url)
    config = relay_config(KafkaSettings(brokers=bootstrap))
    relay = Relay(
        backlog=Backlog(engine),
        lease=Lease(engine, owner=f"relay-{os.getpid()}-{time.monotonic_ns()}", clock=time.monotonic, times=TIMES),
        fence=LeaseFence(KafkaProducer(config)),
        late_ids=LateIds(Serde(FakeRegistry(OrderCreated, OrderSeen)), CATALOG),
        registry_url="http://registry:8081",
        clock=time.monotonic,
        random=random.random,
        settings=RelaySettings(batch=40, poll=timedelta(milliseconds=20)),
    )
    sys.stdout.write("relaying\n")
    sys.stdout.flush()
    await relay.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
