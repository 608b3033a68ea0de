"""What a relay costs whose lanes the broker fences by transactions, beside one that only has its lease: a broker in a JVM, PostgreSQL.

Wall time; candidates take turns A B B A, and the figure is the median of the rounds' ratios. Run: ``python -m bench fence --no-write``.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
from pathlib import Path

from bench.delivery import Delivery, postgres, ratios
from bench.report import Row
from bench.runtime import SENT
from treaty.local.kafka import Kafka
from treaty.local.machine import Machine
from treaty_runtime.admin import Cluster
from treaty_runtime.kafka import KafkaFence, KafkaProducer
from treaty_runtime.kafka.config import relay_config
from treaty_runtime.settings import KafkaSettings
from treaty_runtime.transport import LeaseFence

ROUNDS = 3


def measure() -> list[Row]:
    """The pace of ten thousand rows with the fence, as a share of the pace without it."""
    with tempfile.TemporaryDirectory() as folder:
        kafka = Kafka(Path(folder) / "kafka", machine=Machine(env=dict(os.environ)))
        kafka.start()
        try:
            with postgres(Path(folder)) as url:
                return [_row(KafkaSettings(brokers=kafka.bootstrap), url)]
        finally:
            kafka.stop()


def _row(settings: KafkaSettings, url: str) -> Row:
    with Cluster(settings.brokers) as cluster:
        cluster.create(SENT, partitions=12, replication=1, config={})
        cluster.await_topics([SENT])
    bench = Delivery(settings, url)
    asyncio.run(bench.prepare())

    def leased() -> float:
        fence = LeaseFence(KafkaProducer(relay_config(settings)))
        return asyncio.run(bench.relay(lambda: fence))

    def fenced() -> float:
        return asyncio.run(bench.relay(lambda: KafkaFence(settings, service="bench")))

    low, median, high = statistics.quantiles(ratios(leased, fenced, rounds=ROUNDS), n=4)
    return Row("relay fenced by transactions / by its lease alone", f"{median:.2f} × ({low:.2f}-{high:.2f})")
