"""What is refused leaves nothing behind: the memory of a process that is attacked stays where it was."""

from __future__ import annotations

import contextlib
import functools
import gzip
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.treaty.registry.asking import asking
from tests.treaty.registry.running import running
from tests.treaty.registry.test_hostile_input import MIB, of_schema

PATH = "/subjects/s/versions"
ROUNDS = 25
MOST_GROWTH = 48 * MIB
"""A thread's arena and the allocator's slack; each round sends several hundred MiB, packed or not."""
DEEP = 50_000


@functools.cache
def bomb() -> bytes:
    return gzip.compress(b" " * (200 * MIB), compresslevel=1)


def post(client: httpx.Client, content: bytes, **headers: str) -> None:
    """Send it; the registry answers with a refusal, or hangs up on who keeps sending."""
    sent = {"Content-Type": "application/json", **{key.replace("_", "-"): value for key, value in headers.items()}}
    with contextlib.suppress(httpx.WriteError, httpx.ReadError):
        assert client.post(PATH, content=content, headers=sent).status_code in (400, 413, 422)


ATTACKS: dict[str, Callable[[httpx.Client], None]] = {
    "20 MB": lambda client: post(client, b" " * (20 * MIB)),
    "a gzip bomb": lambda client: post(client, bomb(), Content_Encoding="gzip"),
    "a body nested 50,000 deep": lambda client: post(client, b"[" * DEEP),
    "a schema nested 50,000 deep": lambda client: post(client, of_schema("[" * DEEP)),
    "records nested as deep as fits": lambda client: post(client, of_schema('{"type":"array","items":' * 15_000)),
    "NaN": lambda client: post(client, of_schema('{"type":"record","name":"T","fields":[],"x":NaN}')),
    "half a mebibyte of fields": lambda client: post(
        client, of_schema('{"type":"record","name":"T","fields":[' + '{"name":"f","type":"int"},' * 19_000)
    ),
}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux how much memory a process has")
@pytest.mark.long
def test_memory_is_flat_under_everything_that_is_refused() -> None:
    with (
        running(database="memory:") as (process, port),
        asking(f"http://127.0.0.1:{port}") as client,
    ):
        for attack in ATTACKS.values():  # once, so that caches and threads are there
            attack(client)
        before = resident(process.pid, "VmRSS")
        for _ in range(ROUNDS):
            for attack in ATTACKS.values():
                attack(client)
        assert client.get("/subjects").json() == []
        assert resident(process.pid, "VmRSS") - before < MOST_GROWTH
        assert resident(process.pid, "VmHWM") - before < 2 * MOST_GROWTH, "nor was it ever much more in between"


def resident(pid: int, line: str) -> int:
    """Bytes of memory of a process, by a line of its status."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(rf"^{line}:\s+(\d+) kB$", text, re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024
