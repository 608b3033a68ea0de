"""Consuming typed events with FastStream and aiokafka, beside ours: processor time a message, all in one run.

Theirs get the same records and decode them with the same decoder; neither keeps keys in order, retries, or commits only what is finished.
They are of the dependency group `bench`; one that is not installed has no row. Run: ``python -m bench peers --no-write``.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import statistics
from collections.abc import Awaitable, Callable

from bench.mock_kafka import brokers
from bench.report import Row
from bench.runtime import RECORDS, SENT, TOPIC, Bench, Watch
from mall_events.order import OrderPaid
from treaty_avro import compile_decoder
from treaty_runtime.settings import KafkaSettings

MESSAGES, ROUNDS = 3_000, 5
LEAST = 7


def measure() -> list[Row]:
    """A row for each peer that is installed."""
    found: list[Row] = []
    with brokers(TOPIC, SENT) as bootstrap:
        bench = Bench(KafkaSettings(brokers=bootstrap))
        bench.fill()
        for name, peer, least in (("faststream", faststream, LEAST), ("aiokafka", aiokafka, None)):
            if importlib.util.find_spec(name) is None:
                continue
            ratios = [theirs(peer, bench) / MESSAGES / (bench.consume() / RECORDS) for _ in range(ROUNDS)]
            found.append(_row(name, ratios, least=least))
    return found


def theirs(peer: Callable[[str, str, Watch], Awaitable[None]], bench: Bench) -> float:
    """Processor seconds for so many messages."""
    watch = Watch()
    asyncio.run(_run(peer, bench, watch))
    return watch.seconds


async def _run(peer: Callable[[str, str, Watch], Awaitable[None]], bench: Bench, watch: Watch) -> None:
    await peer(bench.settings.brokers, bench.group(), watch)


def _row(name: str, ratios: list[float], *, least: int | None) -> Row:
    low, median, high = statistics.quantiles(ratios, n=4)
    what = f"processor time a consumed message, {name} / ours"
    target = "" if least is None else f"≥ {least} ×"
    return Row(what, f"{median:.1f} × ({low:.1f}-{high:.1f})", target, None if least is None else median >= least)


async def faststream(bootstrap: str, group: str, watch: Watch) -> None:
    """A subscriber as its documents show it, without logs."""
    from faststream.confluent import KafkaBroker  # noqa: PLC0415  # only where it is installed

    decode, seen, done = compile_decoder(OrderPaid), 0, asyncio.Event()
    # The mock brokers make no topics on request.
    broker = KafkaBroker(bootstrap, allow_auto_create_topics=False, logger=None, log_level=logging.CRITICAL)

    async def handle(body: bytes) -> None:
        nonlocal seen
        watch.begin()
        decode(body, 5)
        seen += 1
        if seen == MESSAGES:
            watch.end()
            done.set()

    # Called, not written as a decorator: where FastStream is not installed that would be an untyped one.
    broker.subscriber(TOPIC, group_id=group, auto_offset_reset="earliest")(handle)
    await broker.start()
    await done.wait()
    await broker.stop()


async def aiokafka(bootstrap: str, group: str, watch: Watch) -> None:
    """The plain client, many records a call."""
    from aiokafka import AIOKafkaConsumer  # noqa: PLC0415  # only where it is installed

    decode, seen = compile_decoder(OrderPaid), 0
    consumer = AIOKafkaConsumer(TOPIC, bootstrap_servers=bootstrap, group_id=group, auto_offset_reset="earliest")
    await consumer.start()
    while seen < MESSAGES:
        batches = await consumer.getmany(timeout_ms=1_000, max_records=500)
        if batches:
            watch.begin()
        for records in batches.values():
            for record in records[: MESSAGES - seen]:
                decode(record.value, 5)
                seen += 1
    watch.end()
    await consumer.stop()
