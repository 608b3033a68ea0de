"""What requests to the registry cost.

One server process on a SQLite file, fifty connections on loopback. With ``TREATY_BENCH_PEER`` (the URL of another
Confluent-compatible registry) each operation is also sent there, in turns, and the ratio of requests per second is shown.
``python -m bench registry``.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

from bench.registry_server import Operation, level, record, send, sent, served, version
from bench.report import Row

WRITERS, ROUNDS = 8, 5
SUBJECTS, TENS = 1_000, 100
"""Subjects of one version, and of ten: each round adds one to each of these."""
PEER = os.environ.get("TREATY_BENCH_PEER")


def measure() -> list[Row]:
    """A row for each operation."""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder) / "r.db") as (url, process):
        fill(url)
        if PEER:
            fill(PEER)
        return [row_of(operation, url, process) for operation in operations()]


def row_of(operation: Operation, url: str, process: subprocess.Popen[str]) -> Row:
    """Rounds of one operation, in turns with the peer."""
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(send(operation, url, pid=process.pid))
        if PEER:
            theirs.append(send(operation, PEER, pid=None))
    middle = sorted(ours, key=lambda each: each.cpu_ms)[len(ours) // 2]
    text = f"{middle.cpu_ms:.2f} ms cpu, {middle.per_second:.0f}/s, p50 {middle.percentile(50):.1f} ms, p99 {middle.percentile(99):.1f} ms"
    if theirs:
        ratio = statistics.median(a.per_second / b.per_second for a, b in zip(ours, theirs, strict=True))
        text += f", {ratio:.1f} × the peer"
    return Row(f"registry: {operation.name}", text, f"≤ {operation.target} ms cpu", middle.cpu_ms <= operation.target)


def operations() -> list[Operation]:
    """What services, pipelines and people ask of a registry."""
    fresh, newer = itertools.count(), itertools.count()
    known = itertools.cycle(range(SUBJECTS))

    def body(number: int, more: int = 0) -> str:
        return json.dumps({"schema": record(number, more)})

    return [
        Operation("GET by id", lambda: (("GET", f"/schemas/ids/{n % SUBJECTS + 1}", "") for n in known), 0.35),
        Operation("GET latest", lambda: (("GET", f"/subjects/s{n}/versions/latest", "") for n in known), 0.7),
        Operation("lookup", lambda: (("POST", f"/subjects/s{n}", body(n)) for n in known), 0.9),
        Operation("register again", lambda: (("POST", f"/subjects/s{n}/versions", body(n)) for n in known), 0.7),
        Operation(
            "compatibility, 20 fields",
            lambda: (("POST", f"/compatibility/subjects/s{n}/versions/latest", body(n, 1)) for n in known),
            2.2,
        ),
        Operation(
            "register new",
            lambda: (("POST", f"/subjects/new{n}/versions", body(10_000 + n)) for n in fresh),
            5,
            clients=WRITERS,
            count=200,
        ),
        Operation(
            "new version beside 10, FULL_TRANSITIVE",
            lambda: (version(f"ten{n % TENS}", TENS * 10 + n) for n in newer),
            8,
            clients=WRITERS,
            count=TENS,
        ),
    ]


def fill(url: str) -> None:
    """A thousand subjects of one version, and a hundred of ten."""
    single = [("POST", f"/subjects/s{n}/versions", json.dumps({"schema": record(n)})) for n in range(SUBJECTS)]
    asyncio.run(sent(url, iter(single), clients=WRITERS, count=len(single)))
    for n in range(TENS):
        ten = (version(f"ten{n}", n * 10 + each) for each in range(10))
        asyncio.run(sent(url, iter([level(f"ten{n}", "FULL_TRANSITIVE"), *ten]), clients=1, count=11))
