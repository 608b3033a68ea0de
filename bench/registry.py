"""What requests to the registry cost, and how that grows with what it holds.

One server process on a SQLite file, fifty connections on loopback. Processor time of the server per request is the measure
that machines share best; requests per second and percentiles tell the rest. With ``TREATY_BENCH_PEER`` (the URL of another
Confluent-compatible registry) each operation is also sent there, in turns, and the ratio of requests per second is shown.
``python -m bench registry``; ``TREATY_BENCH_SCHEMAS=100000`` for the large store.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from bench.report import Row
from treaty.registry.names import TOP, Name
from treaty.registry.rows import Content, NewSchema, VersionRow
from treaty.registry.stores.sql.store import open_store

CLIENTS, WRITERS, ROUNDS = 50, 8, 5
SUBJECTS, REQUESTS = 1_000, 1_000
LARGE = int(os.environ.get("TREATY_BENCH_SCHEMAS", "10000"))
PEER = os.environ.get("TREATY_BENCH_PEER")
_TICKS = os.sysconf("SC_CLK_TCK")

Request = tuple[str, str, str]
"""Method, path, body."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A kind of request; ``requests`` gives as many as are asked for; ``target``: milliseconds of the server's processor."""

    name: str
    requests: Callable[[], Iterator[Request]]
    target: float
    clients: int = CLIENTS
    count: int = REQUESTS


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one round: requests per second, processor milliseconds a request, latencies in milliseconds."""

    per_second: float
    cpu_ms: float
    latencies: list[float]

    def percentile(self, percent: int) -> float:
        """The latency that so many percent of the requests do not exceed."""
        return statistics.quantiles(self.latencies, n=100)[percent - 1]


def measure() -> list[Row]:
    """A row for each operation, and rows of start, memory and growth."""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder) / "r.db") as (url, process):
        fill(url)
        if PEER:
            fill(PEER)
        rows = [row_of(operation, url, process) for operation in operations()]
    return [*rows, *growth()]


def row_of(operation: Operation, url: str, process: subprocess.Popen[str]) -> Row:
    """Rounds of one operation, in turns with the peer."""
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(send(operation, url, pid=process.pid))
        if PEER:
            theirs.append(send(operation, PEER, pid=None))
    best = sorted(ours, key=lambda each: each.cpu_ms)[len(ours) // 2]
    text = f"{best.cpu_ms:.2f} ms cpu, {best.per_second:.0f}/s, p50 {best.percentile(50):.1f} ms, p99 {best.percentile(99):.1f} ms"
    if theirs:
        ratio = statistics.median(a.per_second / b.per_second for a, b in zip(ours, theirs, strict=True))
        text += f", {ratio:.1f} × the peer"
    return Row(f"registry: {operation.name}", text, f"≤ {operation.target} ms cpu", best.cpu_ms <= operation.target)


def operations() -> list[Operation]:
    """What services, pipelines and people ask of a registry."""
    fresh = itertools.count()
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
            lambda: (("POST", f"/subjects/ten{n % 20}/versions", body(5_000 + n % 20, 11 + n // 20)) for n in fresh),
            8,
            clients=WRITERS,
            count=100,
        ),
    ]


def fill(url: str) -> None:
    """A thousand subjects of one version, and twenty of ten."""
    single = [("POST", f"/subjects/s{n}/versions", json.dumps({"schema": record(n)})) for n in range(SUBJECTS)]
    asyncio.run(sent(url, iter(single), clients=WRITERS, count=len(single)))
    for n in range(20):
        path = f"/subjects/ten{n}/versions"
        level = ("PUT", f"/config/ten{n}", json.dumps({"compatibility": "FULL_TRANSITIVE"}))
        ten = [("POST", path, json.dumps({"schema": record(5_000 + n, more)})) for more in range(10)]
        asyncio.run(sent(url, iter([level, *ten]), clients=1, count=11))


def record(number: int, more: int = 0) -> str:
    """A record of twenty fields with defaults, like no other, with some fields more."""
    fields = [{"name": f"field_{n}", "type": "string", "default": ""} for n in range(20 + more)]
    return json.dumps({"type": "record", "name": f"Event{number}", "namespace": "bench.events", "fields": fields})


def send(operation: Operation, url: str, *, pid: int | None) -> Measured:
    """One round; without a ``pid`` the processor's time is not known and 0."""
    cpu = 0.0 if pid is None else cpu_seconds(pid)
    began = time.perf_counter()
    latencies = asyncio.run(sent(url, operation.requests(), clients=operation.clients, count=operation.count))
    seconds = time.perf_counter() - began
    used = 0.0 if pid is None else cpu_seconds(pid) - cpu
    return Measured(len(latencies) / seconds, 1000 * used / len(latencies), latencies)


async def sent(url: str, requests: Iterator[Request], *, clients: int, count: int) -> list[float]:
    """Send requests over so many connections; latencies in milliseconds. Fails on an answer that is no success."""
    host, port = urlsplit(url).hostname or "127.0.0.1", urlsplit(url).port or 80
    waiting = iter(list(itertools.islice(requests, count)))
    latencies: list[float] = []

    async def client() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        for method, path, body in waiting:
            began = time.perf_counter()
            writer.write(wire(method, path, body, host))
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = re.search(r"(?i)content-length: (\d+)", head)
            assert length is not None, head
            answer = await reader.readexactly(int(length[1]))
            assert head.startswith("HTTP/1.1 2"), (path, head, answer)
            latencies.append(1000 * (time.perf_counter() - began))
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(client() for _ in range(clients)))
    return latencies


def wire(method: str, path: str, body: str, host: str) -> bytes:
    """A request as it goes over the wire."""
    data = body.encode()
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {host}",
        f"Content-Length: {len(data)}",
        "Content-Type: application/json",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + data


def growth() -> list[Row]:
    """Start, memory and one operation at ten and at many stored schemas."""
    rows, found = [], {}
    for size in (10, LARGE):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "r.db"
            store(file, size)
            began = time.perf_counter()
            with served(file) as (url, process):
                ready = time.perf_counter() - began
                send(Operation("", partial(cycled, "/schemas/ids/{}", 1, size), 0), url, pid=process.pid)
                latest = Operation("", partial(cycled, "/subjects/g{}/versions/latest", 0, size), 0)
                cpu = statistics.median(send(latest, url, pid=process.pid).cpu_ms for _ in range(3))
                found[size] = (ready, cpu, resident_mb(process.pid))
    (small_ready, small_cpu, _), (ready, cpu, memory) = found[10], found[LARGE]
    what = f"registry with {LARGE:,} schemas"
    rows.append(
        Row(
            f"{what}: start",
            f"{ready:.2f} s, {ready / small_ready:.2f} × with 10",
            "≤ 1.3 ×",
            ready <= 1.3 * small_ready,
        )
    )
    rows.append(Row(f"{what}: GET latest", f"{cpu / small_cpu:.2f} × cpu with 10", "≤ 1.3 ×", cpu <= 1.3 * small_cpu))
    rows.append(Row(f"{what}: memory", f"{memory:.0f} MB", "≤ 250 MB", memory <= 250))
    return rows


def cycled(path: str, first: int, size: int) -> Iterator[Request]:
    """GETs of a path with one number after the other, and again."""
    return (("GET", path.format(n % size + first), "") for n in itertools.count())


def store(file: Path, size: int) -> None:
    """Put so many schemas of about 1 kB into a file, in one transaction."""
    opened = open_store(f"sqlite:///{file}", migrate=True)
    with opened.write(TOP) as writer:
        for number in range(size):
            text, digest = record(number), number.to_bytes(32, "big")
            schema = NewSchema(
                content=Content(text),
                content_sha256=digest,
                resolved_sha256=digest,
                guid=f"{number:032x}",
                created_at=0,
            )
            name = Name(".", f"g{number}")
            schema_id = writer.add_schema(".", schema)
            writer.add_version(
                VersionRow(
                    name=name, number=1, schema_id=schema_id, resolved_sha256=digest, deleted=False, created_at=0
                )
            )
    opened.close()


@contextmanager
def served(file: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The URL and the process of a registry on a file; it has said that it listens."""
    program, said = Path(sys.executable).parent / "treaty", file.with_suffix(".log")
    words = [str(program), "registry", "serve", "--port", "0", "--database", f"sqlite:///{file}"]
    # Into a file: the server says a line for each change, and would wait for whoever does not read them.
    with said.open("w") as log:
        process = subprocess.Popen(words, stderr=log, text=True)
    try:
        while (url := re.search(r"listens on (\S+)", said.read_text())) is None:
            assert process.poll() is None, said.read_text()
            time.sleep(0.01)
        yield url[1], process
    finally:
        process.terminate()
        process.wait(timeout=30)


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_mb(pid: int) -> float:
    """Resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024
