"""A registry in a process of its own, and requests to it: what the benchmarks of the registry stand on.

Processor time of the server per request is the measure that machines share best; requests per second and percentiles tell
the rest.
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
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

CLIENTS, REQUESTS = 50, 1_000
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


def version(subject: str, number: int) -> Request:
    """Registers a record of twenty fields whose doc tells it from all others."""
    return "POST", f"/subjects/{subject}/versions", documented(number)


def documented(number: int) -> str:
    """A body with a record of twenty fields whose doc tells it from all others."""
    return json.dumps({"schema": json.dumps({**json.loads(record(0)), "doc": f"version {number}"})})


def level(subject: str, name: str) -> Request:
    """Sets a subject's compatibility."""
    return "PUT", f"/config/{subject}", json.dumps({"compatibility": name})


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
