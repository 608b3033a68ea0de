"""A million events through one process, published and consumed: memory is flat after the first hundred thousand."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.parts.waiting import eventually
from tests.reliability.outcome import Outcome
from tests.reliability.service import event_on
from tests.reliability.stack import Stack
from tests.treaty_runtime.order_events import FakeRegistry
from treaty_runtime.event import Context
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.runtime import Runtime
from treaty_runtime.settings import KafkaSettings

CHUNK, AHEAD, KEYS = 1_000, 10_000, 5_000
WARM, ALLOWED_MB = 0.1, 16
"""After this share of the events memory may grow by no more than so much: what grows with each event grows by hundreds."""


@dataclass(slots=True)
class Memory:
    """``records`` events; each is handled, none is kept."""

    stack: Stack
    records: int
    seed: int
    patience: float = 120.0

    async def run(self) -> Outcome:
        """The whole run."""
        began = time.monotonic()
        engine = await self.stack.prepare()
        await engine.dispose()
        event, handlers, seen = event_on(self.stack.topic), Handlers(), 0
        megabytes: list[int] = []

        @handlers.on(event)
        async def count(_order: Any, _context: Context) -> None:
            nonlocal seen
            seen += 1
            if seen % (self.records // 20) == 0:
                megabytes.append(resident_mb())

        runtime = Runtime(
            service="order",
            settings=KafkaSettings(brokers=self.stack.bootstrap),
            events={event.__avro_fullname__: event},
            groups=[Group(self.stack.group, handlers, dead_letter=self.stack.dead_letter, has_retry_topics=False)],
            registry=FakeRegistry(event),
        )
        async with runtime:
            for start in range(0, self.records, CHUNK):
                await runtime.publisher.publish_many(
                    [event(order_id=f"o-{number % KEYS}", number=number) for number in range(start, start + CHUNK)]  # type: ignore[call-arg]  # a Protocol has no constructor
                )
                await eventually(lambda start=start: start - seen < AHEAD, self.patience)  # type: ignore[misc]  # the default binds the loop's value
            await eventually(lambda: seen >= self.records, self.patience)
        warm = megabytes[int(len(megabytes) * WARM)]
        grown = max(megabytes) - warm
        wrong = [] if grown <= ALLOWED_MB else [f"memory grew from {warm} to {max(megabytes)} MB: {megabytes}"]
        return Outcome(
            run="memory",
            faults="nothing",
            records=seen,
            seed=self.seed,
            seconds=time.monotonic() - began,
            wrong=wrong,
            seen={"MB after a tenth": warm, "MB at most afterwards": max(megabytes)},
        )


def resident_mb() -> int:
    """What this process has in memory, in megabytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // (1 << 20)
