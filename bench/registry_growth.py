"""How the registry grows: start, memory and reads by what it holds; writes and checks by the versions of a subject.

``python -m bench registry-growth``; the largest store has ``TREATY_BENCH_SCHEMAS`` schemas of about 1 kB, 10,000 if not told.
"""

from __future__ import annotations

import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import insert

from bench.registry_server import (
    Operation,
    Request,
    cpu_seconds,
    documented,
    level,
    record,
    resident_mb,
    send,
    served,
    version,
)
from bench.report import Row
from treaty.registry.names import TOP
from treaty.registry.stores.sql.store import open_store
from treaty.registry.stores.sql.tables import CONTEXTS, SCHEMAS, SUBJECTS, VERSIONS

LARGE = int(os.environ.get("TREATY_BENCH_SCHEMAS", "10000"))
SIZES = sorted({10, 1_000, 10_000, LARGE})
STARTS = 3
PORTION = 5_000


class Grown(NamedTuple):
    """What a store of a size costs: seconds and processor seconds to the first answer, milliseconds, megabytes."""

    start: float
    start_cpu: float
    latest_ms: float
    idle_mb: float
    read_mb: float


def measure() -> list[Row]:
    """Rows of start, memory and reads by size, and of subjects with many versions."""
    found = {size: grown(size) for size in SIZES}
    small = found[SIZES[0]]
    rows = []
    for size, each in found.items():
        what, is_last = f"registry with {size:,} schemas", size == LARGE
        ratio = each.start_cpu / small.start_cpu
        text = f"{each.start:.2f} s, {each.start_cpu:.2f} s cpu, {ratio:.2f} × cpu with {SIZES[0]}"
        rows.append(Row(f"{what}: start", text, "≤ 1.3 ×", ratio <= 1.3))
        ratio = each.latest_ms / small.latest_ms
        text = f"{each.latest_ms:.2f} ms cpu, {ratio:.2f} × with {SIZES[0]}"
        rows.append(Row(f"{what}: GET latest", text, "≤ 1.3 ×", ratio <= 1.3))
        text = f"{each.idle_mb:.0f} MB, {each.read_mb:.0f} MB when all were read"
        rows.append(
            Row(f"{what}: memory", text, "≤ 250 MB" if is_last else "", each.read_mb <= 250 if is_last else None)
        )
    return [*rows, *by_versions()]


def grown(size: int) -> Grown:
    """Measure a store of so many schemas, each the only version of its subject."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "r.db"
        fill(file, size)
        starts = []
        for _ in range(STARTS):
            began = time.perf_counter()
            with served(file) as (_, process):
                starts.append((time.perf_counter() - began, cpu_seconds(process.pid)))
        with served(file) as (url, process):
            idle = resident_mb(process.pid)
            every = Operation("", lambda: cycled("/schemas/ids/{}", 1, size), 0, count=size)
            send(every, url, pid=process.pid)
            latest = Operation("", lambda: cycled("/subjects/g{}/versions/latest", 0, size), 0)
            cpu = statistics.median(send(latest, url, pid=process.pid).cpu_ms for _ in range(3))
            walls, cpus = zip(*starts, strict=True)
            return Grown(min(walls), min(cpus), cpu, idle, resident_mb(process.pid))


def by_versions() -> list[Row]:
    """A registration beside 500 versions, and a check against 200, for the first and for the second time."""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder) / "r.db") as (url, process):

        def cpu(requests: list[Request], *, clients: int = 1) -> float:
            asked = Operation("", lambda: iter(requests), 0, clients=clients, count=len(requests))
            return send(asked, url, pid=process.pid).cpu_ms

        cpu([level("few", "NONE"), level("many", "NONE"), level("deep", "FULL_TRANSITIVE")])
        cpu([version("many", more) for more in range(500)])
        cpu([version("deep", more) for more in range(200)])
        few = statistics.median(cpu([version(f"few{n}", 1_000 + n) for n in portion]) for portion in portions())
        many = statistics.median(cpu([version("many", 2_000 + n) for n in portion]) for portion in portions())
        # Ten of them: the processor's time of a process is told in hundredths of a second.
        checks = [("POST", "/compatibility/subjects/deep/versions", documented(3_000 + n)) for n in range(10)]
        cold, warm = cpu(checks), cpu(checks)
    ratio = many / few
    text = f"{many:.1f} ms cpu, {ratio:.2f} × beside none"
    share = warm / cold
    told = f"{warm:.1f} ms cpu, {share:.2f} × the first time"
    return [
        Row("registry: register beside 500 versions, NONE", text, "≤ 2 ×", ratio <= 2),
        Row("registry: check against 200 versions, FULL_TRANSITIVE, again", told, "≤ 0.2 ×", share <= 0.2),
    ]


def portions() -> Iterator[range]:
    """Numbers of three rounds."""
    return (range(start, start + 20) for start in (0, 20, 40))


def cycled(path: str, first: int, size: int) -> Iterator[Request]:
    """GETs of a path with one number after the other, and again."""
    return (("GET", path.format(n % size + first), "") for n in itertools.count())


def fill(file: Path, size: int) -> None:
    """Put so many schemas into a file, as registrations would have left them."""
    store = open_store(f"sqlite:///{file}", migrate=True)
    for start in range(0, size, PORTION):
        numbers = range(start, min(start + PORTION, size))
        with store.write(TOP) as writer:
            connection = writer._connection  # noqa: SLF001  # a hundred thousand registrations one by one would take minutes
            connection.execute(insert(SCHEMAS), [schema_of(number) for number in numbers])
            connection.execute(insert(SUBJECTS), [subject_of(number) for number in numbers])
            connection.execute(insert(VERSIONS), [version_of(number) for number in numbers])
            connection.execute(CONTEXTS.update().values(last_id=numbers[-1] + 1))
    store.close()


def schema_of(number: int) -> dict[str, object]:
    """A row of ``schemas``."""
    digest = number.to_bytes(32, "big")
    return {
        "context": ".", "id": number + 1, "text": record(number), "content_sha256": digest, "resolved_sha256": digest,
        "guid": f"{number:032x}", "is_first": True, "created_at": 0,
    }  # fmt: skip


def subject_of(number: int) -> dict[str, object]:
    """A row of ``subjects``."""
    return {"context": ".", "name": f"g{number}", "last_version": 1}


def version_of(number: int) -> dict[str, object]:
    """A row of ``versions``."""
    return {
        "context": ".", "subject": f"g{number}", "version": 1, "schema_id": number + 1,
        "resolved_sha256": number.to_bytes(32, "big"), "deleted": False, "created_at": 0, "provenance": "",
    }  # fmt: skip
