"""What outbox and inbox cost on PostgreSQL, beside loops written by hand for this one case: the same rows, statements and records.

Wall time, as most of it is spent in the database; candidates take turns A B B A, and the figure is the median of the rounds' ratios.
Run: ``python -m bench delivery --no-write``.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from confluent_kafka import Producer as RawProducer
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from bench.mock_kafka import brokers
from bench.report import Row
from bench.runtime import KEYS, REGISTRY, SENT, TOPIC, events, row
from mall.running import set_aside_what_is_loaded
from mall_events.order import OrderPaid
from treaty.local.machine import Machine
from treaty.local.postgres import Postgres
from treaty_runtime.clock import utcnow
from treaty_runtime.event import BatchContext, Context, Envelope, Place, Record
from treaty_runtime.hooks import Hooks, Published
from treaty_runtime.kafka import KafkaProducer
from treaty_runtime.kafka.config import producer_config, relay_config
from treaty_runtime.publish.backlog import Backlog, Pending
from treaty_runtime.publish.late_ids import LateIds
from treaty_runtime.publish.lease import Lease
from treaty_runtime.publish.outbox import Outbox
from treaty_runtime.publish.relay import Relay, RelaySettings
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.sql import database as runtime_database
from treaty_runtime.sql.inbox import Inbox
from treaty_runtime.testing import MemoryRegistry
from treaty_runtime.transport import Fence, LeaseFence
from treaty_runtime.wire.envelope import seal
from treaty_runtime.wire.headers import ID
from treaty_runtime.wire.serde import Serde

ROWS, BATCH, ROUNDS = 10_000, 1_000, 7
WARMING = 3 * BATCH
"""Rows that go first and do not count: more than a batch, so that every connection is open then, and statements known."""
EVENTS, TOGETHER, ALONE = 4_000, 200, 400
COMMITS = 31
SELECT = "SELECT position, aggregatetype, aggregateid, payload, headers FROM outbox ORDER BY position LIMIT %s"
FILL = (
    "INSERT INTO outbox (id, aggregatetype, aggregateid, type, dataschema, payload, headers, lane)"
    " SELECT gen_random_uuid(), aggregatetype, aggregateid, type, dataschema, payload, headers, lane"
    " FROM pattern, generate_series(1, %s)"
)


def measure() -> list[Row]:
    """Rows of the relay, the inbox, and of the way from a commit to the broker's answer."""
    with tempfile.TemporaryDirectory() as folder, brokers(TOPIC, SENT) as bootstrap, postgres(Path(folder)) as url:
        bench = Delivery(KafkaSettings(brokers=bootstrap), url)
        asyncio.run(bench.prepare())
        set_aside_what_is_loaded()  # for both candidates, as services do
        relayed = ratios(bench.relay_by_hand, lambda: asyncio.run(bench.relay()), rounds=3 * ROUNDS)
        together = ratios(bench.remember_by_hand, lambda: asyncio.run(bench.remember(TOGETHER)), rounds=ROUNDS)
        size = ratios(
            lambda: asyncio.run(bench.remember(1)), lambda: asyncio.run(bench.remember(TOGETHER)), rounds=ROUNDS
        )
        hinted, polled = asyncio.run(bench.commit_to_ack(hint=True)), asyncio.run(bench.commit_to_ack(hint=False))
    share = hinted / polled
    what = f"commit to acknowledgement, idle, p50: by hint ({hinted * 1000:.0f} ms) / by poll ({polled * 1000:.0f} ms)"
    return [
        row("relay, PostgreSQL / a loop by hand: SELECT 1000, produce, DELETE", relayed, least=0.75),
        row(f"inbox, {TOGETHER} events a transaction / the same by hand", together, least=0.66),
        row(f"inbox, {TOGETHER} events a transaction / one", size, least=6),
        Row(what, f"{share:.2f} ×", "≤ 0.1 ×", share <= 0.1),
    ]


def ratios(base: Callable[[], float], ours: Callable[[], float], *, rounds: int) -> list[float]:
    """Ours as a share of the base's pace, in each round."""
    found = []
    for number in range(rounds):
        seconds = {base: 0.0, ours: 0.0}
        for candidate in (base, ours, ours, base) if number % 2 else (ours, base, base, ours):
            seconds[candidate] += candidate()
        found.append(seconds[base] / seconds[ours])
    return found


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A server that does not wait for the disk."""
    folder.chmod(0o755)  # the database's own user has to reach its folder in it
    server = Postgres(folder / "postgres", machine=Machine(env=dict(os.environ)), durable=False).start()
    try:
        yield server.url()
    finally:
        server.stop()


@dataclass(slots=True)
class Delivery:
    """The candidates, on one database and one cluster."""

    settings: KafkaSettings
    url: str
    registry: MemoryRegistry = field(default_factory=lambda: MemoryRegistry(registers_by_itself=True))

    @property
    def plain(self) -> str:
        """The address as libpq reads it."""
        return self.url.replace("+psycopg", "")

    async def prepare(self) -> None:
        """Tables, and a pattern of rows as requests stage them: one for each key."""
        engine = runtime_database.open_engine(self.url)
        await runtime_database.create(engine)
        serde = Serde(self.registry)
        await serde.warm([OrderPaid])
        outbox = Outbox(serde, service="order", now=utcnow, entropy=os.urandom)
        async with async_sessionmaker(engine).begin() as session:
            for event in events(KEYS):
                outbox.stage(session, event)
        await engine.dispose()
        with psycopg.connect(self.plain) as connection:
            connection.execute("CREATE TABLE pattern AS SELECT * FROM outbox")
            connection.execute("UPDATE pattern SET aggregatetype = %s", [SENT])
            connection.execute("DELETE FROM outbox")

    def fill(self, rows: int) -> None:
        """So many rows, as many of each key."""
        with psycopg.connect(self.plain) as connection:
            connection.execute(FILL, [rows // KEYS])

    # -- the relay

    def relay_by_hand(self) -> float:
        """What one writes first: no lanes, no lease, no fence, no failures. Seconds for the rows that count."""
        producer = RawProducer(producer_config(self.settings, delivery_timeout=timedelta(minutes=1)))
        with psycopg.connect(self.plain) as connection:
            self.fill(WARMING)
            carry(connection, producer)
            self.fill(ROWS)
            began = time.perf_counter()
            carry(connection, producer)
            return time.perf_counter() - began

    async def relay(self, fence: Callable[[], Fence] | None = None) -> float:
        """Ours, with everything it promises. Seconds for the rows that count."""
        engine, sent = runtime_database.open_engine(self.url), Sent()
        lanes = (fence or self.lease)()
        relay = await self._relay(engine, sent, poll=timedelta(milliseconds=200), fence=lanes)
        self.fill(WARMING)
        task = asyncio.create_task(relay.run())
        await sent.reach(WARMING)
        await asyncio.to_thread(self.fill, ROWS)
        began = time.perf_counter()
        relay.wake()
        await sent.reach(WARMING + ROWS)
        seconds = time.perf_counter() - began
        relay.stop()
        await task
        await lanes.close()
        await engine.dispose()
        return seconds

    def lease(self) -> Fence:
        """The fence that relays have by default."""
        return LeaseFence(KafkaProducer(relay_config(self.settings)))

    async def _relay(
        self,
        engine: AsyncEngine,
        sent: Sent,
        *,
        poll: timedelta,
        fence: Fence,
        hooks: Hooks | None = None,
    ) -> Relay:
        serde = Serde(self.registry)
        await serde.warm([OrderPaid])
        return Relay(
            backlog=CountedBacklog(engine, sent),
            lease=Lease(engine, owner=f"bench-{uuid4()}", clock=time.monotonic),
            fence=fence,
            late_ids=LateIds(serde, {OrderPaid.__avro_fullname__: OrderPaid}),
            registry_url=REGISTRY,
            clock=time.monotonic,
            random=random.random,
            hooks=hooks,
            settings=RelaySettings(poll=poll),
        )

    async def commit_to_ack(self, *, hint: bool) -> float:
        """Median seconds from a commit to the acknowledgement, with nothing else to do."""
        engine, sent = runtime_database.open_engine(self.url), Sent()
        hooks = Hooks([sent.observe])
        lanes = self.lease()
        relay = await self._relay(engine, sent, poll=timedelta(milliseconds=200), fence=lanes, hooks=hooks)
        serde = Serde(self.registry)
        await serde.warm([OrderPaid])
        outbox = Outbox(serde, service="order", now=utcnow, entropy=os.urandom)
        if hint:
            outbox.on_commit(relay.wake)
        task, taken = asyncio.create_task(relay.run()), list[float]()
        chance = random.Random(1)  # noqa: S311  # no secret
        sessions = async_sessionmaker(engine, expire_on_commit=False)
        for event in events(COMMITS):
            await asyncio.sleep(0.2 + chance.random() * 0.2)  # idle, and at any moment between two polls
            sent.some.clear()
            async with sessions.begin() as session:
                outbox.stage(session, event)
            began = time.perf_counter()
            await sent.some.wait()
            taken.append(time.perf_counter() - began)
        relay.stop()
        await task
        await lanes.close()
        await engine.dispose()
        return statistics.median(taken[1:])

    # -- the inbox

    def remember_by_hand(self) -> float:
        """One statement for two hundred ids, and one row of the handler's for each."""
        ids = [uuid4() for _ in range(EVENTS)]
        with psycopg.connect(self.plain, autocommit=True) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS done (id uuid)")
            began = time.perf_counter()
            for start in range(0, EVENTS, TOGETHER):
                some = ids[start : start + TOGETHER]
                with connection.transaction():
                    fresh = connection.execute(
                        'INSERT INTO inbox (consumer, event_id, topic, partition, "offset", handled_at)'
                        " SELECT 'bench', id, 'orders', 0, 0, now() FROM unnest(%s::uuid[]) AS id"
                        " ON CONFLICT DO NOTHING RETURNING event_id",
                        [some],
                    ).fetchall()
                    with connection.cursor() as cursor:
                        cursor.executemany("INSERT INTO done VALUES (%s)", fresh)
        return (time.perf_counter() - began) / EVENTS

    async def remember(self, together: int) -> float:
        """Ours; seconds an event."""
        engine = runtime_database.open_engine(self.url)
        async with engine.begin() as connection:
            await connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS done (id uuid)")
        inbox, deadline = Inbox(async_sessionmaker(engine, expire_on_commit=False)), utcnow() + timedelta(hours=1)
        count = EVENTS if together > 1 else ALONE
        sealed = [envelope(number) for number in range(count)]
        began = time.perf_counter()
        for start in range(0, count, together):
            some = sealed[start : start + together]
            if together == 1:
                await inbox.run(some[0], group="bench", handle=note, deadline=deadline)
            else:
                await inbox.run_batch(some, group="bench", handle=note_all, deadline=deadline)
        seconds = time.perf_counter() - began
        await engine.dispose()
        return seconds / count


def carry(connection: psycopg.Connection, producer: RawProducer) -> None:
    """All rows there are, a thousand at a time."""
    while rows := connection.execute(SELECT, [BATCH]).fetchall():
        for _, topic, key, payload, headers in rows:
            named = [(name, value.encode()) for name, value in json.loads(headers).items()]
            producer.produce(topic, value=payload, key=key, headers=named)
            producer.poll(0)
        if producer.flush(60):
            raise RuntimeError("The brokers did not take the records.")
        connection.execute("DELETE FROM outbox WHERE position = ANY(%s)", [[row[0] for row in rows]])
        connection.commit()


class Sent:
    """Counts what a relay has sent."""

    def __init__(self) -> None:
        self.rows, self.some = 0, asyncio.Event()

    def observe(self, hook: object) -> None:
        """The broker's answers count where they are looked at, before anything is deleted."""
        if isinstance(hook, Published):
            self.some.set()

    async def reach(self, rows: int) -> None:
        """Waits until so many were sent."""
        while self.rows < rows:
            await self.some.wait()
            self.some.clear()


class CountedBacklog(Backlog):
    """Tells what was deleted, so that a relay's pace needs no observer: the loop by hand has none."""

    def __init__(self, engine: AsyncEngine, sent: Sent) -> None:
        super().__init__(engine)
        self._sent = sent

    async def delete(self, rows: Sequence[Pending], **how: Any) -> int:
        """Deletes, and counts."""
        deleted = await super().delete(rows, **how)
        self._sent.rows += deleted
        self._sent.some.set()
        return deleted


async def note(context: Context) -> None:
    """A handler's one row."""
    connection = await context.session.connection()
    await connection.exec_driver_sql("INSERT INTO done VALUES (%s)", (context.envelope.id,))


async def note_all(context: BatchContext) -> None:
    """A row for each event."""
    connection = await context.session.connection()
    await connection.exec_driver_sql("INSERT INTO done VALUES (%s)", [(envelope.id,) for envelope in context.envelopes])


def envelope(number: int) -> Envelope[Any]:
    """An event that nobody has seen."""
    headers = ((ID, str(uuid4()).encode()),)
    record = Record(Place("orders", 0, number), b"key", b"", headers, 0)
    return seal(record, None, schema_id=1, attempt=1)
