"""What poison and known records cost a group with its inbox in PostgreSQL: its pace on a topic with both, as a share of its pace without.

Wall time, since transactions and copies are waited for, from the first records until the last is settled: handled, known, or taken by the
dead-letter topic. The handler does nothing, for a known record would save what it does. Candidates take turns A B B A, each time as a new
group, and the figure is the median of the rounds' ratios. Run: ``python -m bench trouble --no-write``.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from confluent_kafka import Producer as RawProducer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from bench.delivery import TOGETHER, postgres, ratios
from bench.mock_kafka import brokers
from bench.report import Row
from bench.runtime import TOPIC, events, headers_of, row
from mall_events.order import OrderPaid
from treaty_avro import compile_encoder
from treaty_runtime.consume.consumer import Consumer
from treaty_runtime.consume.reader import Reader
from treaty_runtime.event import Context, Headers
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.hooks import DeadLettered, Duplicate, Handled, Hooks, Received
from treaty_runtime.kafka import KafkaProducer, KafkaSource
from treaty_runtime.kafka.config import consumer_config, producer_config
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.sql import database as runtime_database
from treaty_runtime.sql.inbox import Inbox
from treaty_runtime.testing import MemoryRegistry
from treaty_runtime.wire.serde import Serde, frame

RECORDS, ROUNDS = 20_000, 7
DEAD = "bench-dead"
POISON_EVERY, AGAIN_EVERY = 100, 10
BACK = 995
"""So many records before its own a repeated id was seen first: in another transaction. That record is neither poison nor a repetition."""
PATIENCE = timedelta(minutes=3)

Message = tuple[bytes, bytes, Headers]
"""Key, value and headers."""


def measure() -> list[Row]:
    """The row of poison and duplicates."""
    with (
        tempfile.TemporaryDirectory() as folder,
        brokers(TOPIC, DEAD) as smooth,
        brokers(TOPIC, DEAD) as troubled,
        postgres(Path(folder)) as url,
    ):
        asyncio.run(_create(url))
        without, with_both = Candidate(smooth, url), Candidate(troubled, url, is_spoilt=True)
        for candidate in (without, with_both):
            candidate.fill()
        found = ratios(lambda: asyncio.run(without.consume()), lambda: asyncio.run(with_both.consume()), rounds=ROUNDS)
    return [row("consume, inbox, 1 % poison and 10 % duplicates / without", found, least=0.9)]


async def _create(url: str) -> None:
    engine = runtime_database.open_engine(url)
    await runtime_database.create(engine)
    await engine.dispose()


def good() -> Iterator[Message]:
    """Records as a publisher makes them, of 500 orders in turn."""
    encode = compile_encoder(OrderPaid, prefix=frame(1))
    for event in events(RECORDS):
        yield event.__key__().encode(), encode(event), headers_of(event)


def spoilt() -> Iterator[Message]:
    """The same, but one of a hundred ends in its middle, and one of ten has the headers, and so the id, of an earlier one."""
    seen: list[Headers] = []
    for number, (key, value, headers) in enumerate(good()):
        seen.append(headers)
        if number % POISON_EVERY == POISON_EVERY // 2:
            yield key, value[: len(value) // 2], headers
        elif number % AGAIN_EVERY == AGAIN_EVERY - 1:
            yield key, value, seen[number - BACK if number > BACK else number - AGAIN_EVERY // 2]
        else:
            yield key, value, headers


class Settled:
    """Counts what became of records, and takes the time from the first ones to the last."""

    def __init__(self) -> None:
        self.counts: Counter[type[object]] = Counter()
        self.began: float | None = None
        self.seconds = 0.0
        self.all = asyncio.Event()

    def __call__(self, hook: object) -> None:
        """Listens to a consumer."""
        if self.began is None and isinstance(hook, Received):
            self.began = time.perf_counter()
        if isinstance(hook, Handled | Duplicate | DeadLettered):
            self.counts[type(hook)] += 1
            if self.counts.total() == RECORDS:
                self.seconds = time.perf_counter() - (self.began or 0.0)
                self.all.set()


@dataclass(slots=True)
class Candidate:
    """A cluster with the records, and the groups that read all of them."""

    bootstrap: str
    url: str
    is_spoilt: bool = False
    groups: int = 0
    registry: MemoryRegistry = field(default_factory=lambda: MemoryRegistry(registers_by_itself=True))

    @property
    def settings(self) -> KafkaSettings:
        """The cluster."""
        return KafkaSettings(brokers=self.bootstrap)

    def fill(self) -> None:
        """Puts the records there."""
        self.registry.register(OrderPaid.__subject__, OrderPaid.__avro_schema__)
        producer = RawProducer(producer_config(self.settings, delivery_timeout=timedelta(minutes=1)))
        for key, value, headers in spoilt() if self.is_spoilt else good():
            producer.produce(TOPIC, value=value, key=key, headers=[*headers])
            producer.poll(0)
        if producer.flush(60):
            raise RuntimeError("The brokers did not take the records.")

    async def consume(self) -> float:
        """Seconds until a new group has settled everything."""
        engine = runtime_database.open_engine(self.url)
        async with engine.begin() as connection:
            await connection.execute(text("TRUNCATE inbox"))
        settled = Settled()
        producer = KafkaProducer(producer_config(self.settings, delivery_timeout=timedelta(minutes=1)))
        consumer = self._consumer(engine, producer, settled)
        running = asyncio.create_task(consumer.run())
        async with asyncio.timeout(PATIENCE.total_seconds()):
            await settled.all.wait()
        await consumer.stop()
        await running
        await producer.close()
        await engine.dispose()
        if settled.counts != self._expected():
            raise RuntimeError(f"{settled.counts} is not what was produced.")
        return settled.seconds

    def _consumer(self, engine: AsyncEngine, producer: KafkaProducer, settled: Settled) -> Consumer:
        handlers = Handlers()

        @handlers.on(OrderPaid)
        async def handle(_event: OrderPaid, _context: Context) -> None:
            return

        self.groups += 1
        name = f"bench-{os.getpid()}-{self.groups}"
        group = Group(name, handlers, dead_letter=DEAD, has_retry_topics=False, transaction_size=TOGETHER)
        config = consumer_config(self.settings, group=name)
        return Consumer(
            group,
            connect=lambda: KafkaSource(config, topics=group.subscription),
            reader=Reader(group, Serde(self.registry)),
            producer=producer,
            random=lambda: 0.5,
            effects=Inbox(async_sessionmaker(engine, expire_on_commit=False)),
            hooks=Hooks([settled]),
        )

    def _expected(self) -> Counter[type[object]]:
        if not self.is_spoilt:
            return Counter({Handled: RECORDS})
        poison, again = RECORDS // POISON_EVERY, RECORDS // AGAIN_EVERY
        return Counter({Handled: RECORDS - poison - again, Duplicate: again, DeadLettered: poison})
