"""What the outbox row costs a request: the same order, with its events staged and without, turn about in one run."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.report import Row
from mall.order.api import routes
from mall.order.tables import metadata
from mall_events import EVENTS
from tests.mall.counter import Clock, Counter, Tokens, opened
from tests.mall.order.market import placed, stock_up
from treaty_runtime.publish.outbox import Outbox
from treaty_runtime.testing import MemoryRegistry
from treaty_runtime.wire.serde import Serde

ROUNDS, ORDERS = 15, 20
MOST = 2.0


def measure() -> list[Row]:
    """One row: the median of the rounds' ratios of medians."""
    with tempfile.TemporaryDirectory() as folder:
        ratio, plain = asyncio.run(compare(Path(folder)))
    what = f"order request with outbox rows / without, p50 ({plain * 1000:.1f} ms without)"
    return [Row(what, f"{ratio:.2f} ×", f"≤ {MOST:.0f} ×", ratio <= MOST)]


async def compare(folder: Path) -> tuple[float, float]:
    """The median ratio of staged to plain rounds, and the median of plain rounds in seconds."""
    clock, tokens = Clock(), Tokens(Ed25519PrivateKey.generate())
    url = f"sqlite:///{folder / 'order.sqlite'}"
    async with opened("order", url, metadata=metadata, routers=[routes], clock=clock, tokens=tokens) as counter:
        await stock_up(counter, listed=10_000)
        without = counter.desk
        staging = replace(without, stage=(await outbox()).stage)
        ratios, plains = [], []
        for number in range(ROUNDS):
            pair = [(without, "plain"), (staging, "staged")]
            times = {}
            for desk, name in pair if number % 2 else reversed(pair):
                counter.app.state.desk = desk
                times[name] = await median_order(counter)
            ratios.append(times["staged"] / times["plain"])
            plains.append(times["plain"])
        return statistics.median(ratios), statistics.median(plains)


async def median_order(counter: Counter) -> float:
    """Seconds that the median order of one round takes."""
    times = []
    for _ in range(ORDERS):
        started = time.perf_counter()
        await placed(counter, quantity=1)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


async def outbox() -> Outbox:
    """A real outbox, with a registry in memory that knows every event."""
    serde = Serde(MemoryRegistry(registers_by_itself=True))
    await serde.warm([EVENTS[name] for name in EVENTS])
    return Outbox(serde, service="order", now=Clock(), entropy=os.urandom)
