"""kafbat UI as its own process, asked by its API as its pages ask it; ``TREATY_TEST_KAFBAT_JAR`` says where the program is."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.parts.toolchains import tool
from tests.parts.waiting import wait_until
from treaty.local.ports import free_port

JAR = "TREATY_TEST_KAFBAT_JAR"
# In CI too, and before any server is started for it.
needs_kafbat = pytest.mark.skipif(
    not os.environ.get(JAR), reason=f"kafbat UI is in no package registry: set {JAR} to its jar"
)
SECONDS = 900
# It would ask for its newest release elsewhere: a closed port of this machine stands in between.
STAY_HERE = ("-Dhttps.proxyHost=127.0.0.1", "-Dhttps.proxyPort=9", "-Dhttp.nonProxyHosts=localhost|127.*")


@dataclass(frozen=True, slots=True)
class Kafbat:
    """A running kafbat UI as one of its clusters sees it."""

    client: httpx.Client
    cluster: str

    def ask(self, method: str, path: str, body: object = None, **query: str) -> httpx.Response:
        return self.client.request(method, f"/api/clusters/{self.cluster}{path}", json=body, params=query)

    def told(self, method: str, path: str, body: object = None, **query: str) -> Any:
        """What it answers; fails unless it is a success."""
        answer = self.ask(method, path, body, **query)
        assert answer.status_code == 200, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def messages(self, topic: str) -> list[Mapping[str, Any]]:
        """A topic's records as its page shows them, oldest first; the page gets them as a stream of events."""
        answer = self.ask("GET", f"/topics/{topic}/messages/v2", mode="EARLIEST", limit="20")
        assert answer.status_code == 200, answer.text
        events = [json.loads(line[5:]) for line in answer.text.splitlines() if line.startswith("data:")]
        return [event["message"] for event in events if event["type"] == "MESSAGE"]


@contextmanager
def running_kafbat(folder: Path, clusters: Mapping[str, Mapping[str, str]]) -> Iterator[httpx.Client]:
    """The program with these clusters, their settings as its handbook names them; entered when it answers."""
    jar, java = Path(os.environ[JAR]), tool("java")
    port, log = free_port(), folder / "kafbat.log"
    told = [f"--server.port={port}", "--server.address=127.0.0.1"]
    for number, (name, settings) in enumerate(clusters.items()):
        told += [f"--kafka.clusters[{number}].{key}={value}" for key, value in {"name": name, **settings}.items()]
    words = [java, "-Xmx512m", "-XX:TieredStopAtLevel=1", *STAY_HERE, "-jar", str(jar), *told]
    with log.open("wb") as said:
        process = subprocess.Popen(words, cwd=folder, stdout=said, stderr=subprocess.STDOUT)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=SECONDS) as client:
            wait_until(lambda: process.poll() is not None or is_up(client), SECONDS)
            assert process.poll() is None, log.read_text()[-3000:]
            yield client
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def is_up(client: httpx.Client) -> bool:
    """Whether it answers yet."""
    try:
        return client.get("/actuator/health").status_code == 200
    except httpx.TransportError:
        return False
