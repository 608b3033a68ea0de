"""Two relay processes, killed and frozen while they work: nothing is lost, nothing rolled back is seen, order holds."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from asyncio.subprocess import Process
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.treaty_runtime.order_events import OrderCreated
from tests.treaty_runtime.relay_process import TIMES
from tests.treaty_runtime.relaying import Service, until
from treaty_runtime.event import Record
from treaty_runtime.kafka import KafkaSource
from treaty_runtime.kafka.config import consumer_config
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.testing.chaos import Chaos
from treaty_runtime.transport import Records
from treaty_runtime.wire.headers import ID, first_values

ROUNDS, EVENTS_A_ROUND, KEYS = 4, 120, 12


@pytest.mark.chaos
async def test_killed_and_frozen_relays_lose_nothing_and_keep_each_keys_order(
    database: AsyncEngine, database_url: str
) -> None:
    service, chance = Service(database), random.Random(7)
    staged: dict[str, list[str]] = defaultdict(list)
    with Chaos(brokers=1) as chaos:
        chaos.topic("order-events", partitions=4)
        async with _relays(database_url, chaos.bootstrap) as relays:
            for number in range(ROUNDS):
                await _stage(service, staged, chance)
                await _until_some_are_sent(service)
                if number % 3 == 2:
                    await _freeze(relays[number % 2])
                else:
                    await relays[number % 2].replace()
            await until(lambda: _is_empty(service))
        records = await _read_all(chaos.bootstrap, sum(len(ids) for ids in staged.values()))
    first: dict[str, list[str]] = defaultdict(list)
    for record in records:
        key, event_id = (record.key or b"").decode(), first_values(record.headers)[ID].decode()
        if event_id not in first[key]:
            first[key].append(event_id)
    assert first == staged


class _Relay:
    """A relay process that can be killed and started again."""

    def __init__(self, url: str, bootstrap: str) -> None:
        self._arguments = (sys.executable, "-m", "tests.treaty_runtime.relay_process", url, bootstrap)
        self.process: Process | None = None

    async def start(self) -> None:
        """Returns when it is about to relay."""
        self.process = await asyncio.create_subprocess_exec(*self._arguments, stdout=asyncio.subprocess.PIPE)
        assert self.process.stdout is not None
        assert await asyncio.wait_for(self.process.stdout.readline(), 240) == b"relaying\n"

    async def kill(self) -> None:
        """SIGKILL: no handler, no flush, no word to the database."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
            await self.process.wait()

    async def replace(self) -> None:
        """Kills it and starts another one."""
        await self.kill()
        await self.start()


@asynccontextmanager
async def _relays(url: str, bootstrap: str) -> AsyncIterator[list[_Relay]]:
    relays = [_Relay(url, bootstrap) for _ in range(2)]
    try:
        await asyncio.gather(*(relay.start() for relay in relays))
        yield relays
    finally:
        for relay in relays:
            await relay.kill()


async def _freeze(relay: _Relay) -> None:
    """Stops a relay for longer than its lease, wherever it is, and lets it go on as a zombie."""
    assert relay.process is not None
    relay.process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(2 * TIMES.lease_seconds)  # the fault itself lasts this long; nothing is waited for
    relay.process.send_signal(signal.SIGCONT)


async def _stage(service: Service, staged: dict[str, list[str]], chance: random.Random) -> None:
    for number in range(0, EVENTS_A_ROUND, 6):
        ids: list[tuple[str, UUID]] = []
        async with service.sessions() as session:
            for _ in range(6):
                key = f"o-{chance.randrange(KEYS)}"
                ids.append((key, service.outbox.stage(session, OrderCreated(order_id=key, number=number))))
            if chance.random() < 0.2:
                await session.flush()
                await session.rollback()  # phantoms, if they were ever seen
                continue
            await session.commit()
        for key, event_id in ids:
            staged[key].append(str(event_id))


async def _until_some_are_sent(service: Service) -> None:
    before = await service.waiting()

    async def is_less() -> bool:
        left = await service.waiting()
        return left == 0 or left < before

    await until(is_less)


async def _is_empty(service: Service) -> bool:
    return await service.waiting() == 0


async def _read_all(bootstrap: str, expected: int) -> list[Record]:
    """Everything in the topic: at least as many different events as expected."""
    settings = KafkaSettings(brokers=bootstrap)
    source = KafkaSource(consumer_config(settings, group="reader"), topics=["order-events"])
    records: list[Record] = []
    async with asyncio.timeout(240):
        async for event in source.events():
            if isinstance(event, Records):
                records += event.records
                if len({first_values(record.headers)[ID] for record in records}) >= expected:
                    break
    await source.close()
    return records
