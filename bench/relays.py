"""What a second relay process adds on one outbox in PostgreSQL: the pace of two as a multiple of the pace of one.

Wall time from the commit of twenty thousand rows until the table is empty; candidates take turns A B B A, and the figure is the median of
the rounds' ratios. Processes are there, hold their fair share of lanes and have sent something before the rows that count. Where other
work wants the same cores, two processes also get more of them than one; where there are two cores, one relay, the database and the
brokers have most of both. So a second row is of relays that are stopped most of the time, in turns, as on a small processor each: what
keeps two back there is what they wait for of each other.
Run: ``python -m bench relays --no-write``; ``python -m bench.relays URL BOOTSTRAP`` is one such process, until its input ends.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import psycopg

from bench.delivery import FILL, Delivery, postgres, ratios
from bench.mock_kafka import brokers
from bench.report import Row
from bench.runtime import KEYS, REGISTRY, SENT, TOPIC, row
from mall_events.order import OrderPaid
from treaty_runtime.kafka import KafkaProducer
from treaty_runtime.kafka.config import relay_config
from treaty_runtime.publish.backlog import Backlog
from treaty_runtime.publish.late_ids import LateIds
from treaty_runtime.publish.lease import Lease
from treaty_runtime.publish.relay import Relay, RelaySettings
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.sql import database as runtime_database
from treaty_runtime.testing import MemoryRegistry
from treaty_runtime.transport import LeaseFence
from treaty_runtime.wire.serde import Serde

ROWS, ROUNDS = 20_000, 7
TURN_SECONDS, TURNS = 0.02, 3
"""One process in turn goes on for so long, and in the last turn of each round none."""
POLL = timedelta(milliseconds=20)
"""Short, so that what is compared is how fast rows leave and not when they are noticed."""
LOOK_SECONDS, PATIENCE_SECONDS = 0.01, 120.0
OWNERS = "SELECT owner, count(*) FROM outbox_lane GROUP BY owner"


def measure() -> list[Row]:
    """The rows of two relays."""
    with tempfile.TemporaryDirectory() as folder, brokers(TOPIC, SENT) as bootstrap, postgres(Path(folder)) as url:
        delivery = Delivery(KafkaSettings(brokers=bootstrap), url)
        asyncio.run(delivery.prepare())
        with relays(url, bootstrap, plain=delivery.plain) as crew:
            whole = ratios(lambda: crew.drained(1), lambda: crew.drained(2), rounds=ROUNDS)
            with crew.in_turns():
                shared = ratios(lambda: crew.drained(1), lambda: crew.drained(2), rounds=ROUNDS)
    return [
        row("two relay processes, PostgreSQL / one", whole, least=1.4),
        row("two relay processes, each a third of the time / one", shared, least=1.4),
    ]


@contextmanager
def relays(url: str, bootstrap: str, *, plain: str) -> Iterator[Crew]:
    """Relay processes on this database; all end with the block."""
    with psycopg.connect(plain, autocommit=True) as connection:
        crew = Crew([sys.executable, "-m", "bench.relays", url, bootstrap], connection)
        try:
            yield crew
        finally:
            crew.reduce(0)


@dataclass(slots=True)
class Crew:
    """As many relay processes as a candidate wants. ``connection`` commits each statement."""

    words: list[str]
    connection: psycopg.Connection
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _signals: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def in_turns(self) -> Iterator[None]:
        """Within, one process at a time goes on, and each for a third of the time, however many there are."""
        ended = threading.Event()
        turns = threading.Thread(target=self._take_turns, args=[ended])
        turns.start()
        try:
            yield
        finally:
            ended.set()
            turns.join()

    def _take_turns(self, ended: threading.Event) -> None:
        turn = 0
        while not ended.is_set():
            turn = (turn + 1) % TURNS
            with self._signals:
                for place, process in enumerate(self.processes):
                    process.send_signal(signal.SIGCONT if place == turn else signal.SIGSTOP)
            ended.wait(TURN_SECONDS)
        for process in self.processes:
            process.send_signal(signal.SIGCONT)

    def drained(self, count: int) -> float:
        """Seconds in which ``count`` processes send all rows."""
        self.reduce(count)
        while len(self.processes) < count:
            self.processes.append(subprocess.Popen(self.words, stdin=subprocess.PIPE))
        self._until(self._is_shared)
        self._empty(rows=KEYS)  # connections are open and statements known
        return self._empty(rows=ROWS)

    def reduce(self, count: int) -> None:
        """Ends the latest processes, down to ``count``; each gives its lanes back."""
        while len(self.processes) > count:
            with self._signals:
                process = self.processes.pop()
                process.send_signal(signal.SIGCONT)  # it may be another's turn
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(PATIENCE_SECONDS)
            finally:
                process.kill()

    def _empty(self, *, rows: int) -> float:
        with self.connection.transaction():
            self.connection.execute(FILL, [rows // KEYS])
        began = time.perf_counter()
        self._until(self._is_empty)
        return time.perf_counter() - began

    def _is_shared(self) -> bool:
        lanes: dict[str | None, int] = dict(self.connection.execute(OWNERS).fetchall())
        return None not in lanes and len(lanes) == len(self.processes) and len(set(lanes.values())) == 1

    def _is_empty(self) -> bool:
        return self.connection.execute("SELECT FROM outbox LIMIT 1").fetchone() is None

    def _until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            if any(process.poll() is not None for process in self.processes) or time.monotonic() > deadline:
                raise RuntimeError("The relays do not get on.")
            time.sleep(LOOK_SECONDS)


async def relay(url: str, bootstrap: str) -> None:
    """One relay as a service has it, until standard input ends."""
    engine = runtime_database.open_engine(url)
    fence = LeaseFence(KafkaProducer(relay_config(KafkaSettings(brokers=bootstrap))))
    serde = Serde(MemoryRegistry(registers_by_itself=True))  # rows carry their schema's id: nobody asks
    one = Relay(
        backlog=Backlog(engine),
        lease=Lease(engine, owner=f"bench-{uuid4()}", clock=time.monotonic),
        fence=fence,
        late_ids=LateIds(serde, {OrderPaid.__avro_fullname__: OrderPaid}),
        registry_url=REGISTRY,
        clock=time.monotonic,
        random=random.random,
        settings=RelaySettings(poll=POLL),
    )
    running = asyncio.create_task(one.run())
    ended = asyncio.create_task(asyncio.to_thread(os.read, sys.stdin.fileno(), 1))
    await asyncio.wait({running, ended}, return_when=asyncio.FIRST_COMPLETED)
    one.stop()
    await running
    await fence.close()
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(relay(*sys.argv[1:]))
