"""Brokers for figures about the runtime: librdkafka's own, in a process that does nothing else, with topics filled once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from treaty_runtime.testing.chaos import Chaos

PARTITIONS = 12
"""The mock keeps 5 MiB a partition and silently drops what is older."""


@contextmanager
def brokers(*topics: str) -> Iterator[str]:
    """Addresses of a cluster with these topics; it ends with the block."""
    words = [sys.executable, "-m", "bench.mock_kafka", *topics]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def serve(topics: list[str]) -> None:
    """Runs a cluster until standard input ends."""
    with Chaos() as chaos:
        for topic in topics:
            chaos.topic(topic, partitions=PARTITIONS)
        print(chaos.bootstrap, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    serve(sys.argv[1:])
