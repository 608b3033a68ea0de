"""A small project with one event, a service and one that is not built yet, for tests that run ``treaty up`` as a real command."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
from pathlib import Path

from tests.parts.waiting import wait_until
from treaty.local.state import State, StateFile

SERVICE = """
import http.server, os, signal, sys, time
if sys.argv[1] == "broken":
    sys.exit("the service cannot start: no such table")
if sys.argv[1] == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if sys.argv[1] == "silent":
    time.sleep(600)
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = os.environ["KAFKA_BROKERS"].encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
print("service", sys.argv[1], "listens", flush=True)
http.server.HTTPServer(("127.0.0.1", int(os.environ["MALL_PORT"])), Ready).serve_forever()
"""
EVENT = {
    "type": "record", "namespace": "shop.sale", "name": "Sold", "doc": "Something was sold.",
    "fields": [{"name": "sale_id", "type": "long", "doc": "Number of the sale."}],
}  # fmt: skip
TOPICS = """
format = 1
[topic."sale-events"]
doc = "Sales."
owner = "@shop/sales"
key = "sale_id"
events = ["shop.sale.Sold"]
producers = ["{first}"]
[service.{first}]
owner = "@shop/sales"
code = "."
dead_letter = "dlq.{first}"
[service.later]
owner = "@shop/later"
code = "later"
[topic."sale-events".consumer."later-group"]
service = "later"
"""
PARTS = ("kafka", "registry", "redis", "smtp", "mail")


def make_project(folder: Path, *, service: str = "till") -> Path:
    """Writes the project's files."""
    (folder / "schemas" / "sale").mkdir(parents=True)
    (folder / "schemas" / "sale" / "sold.avsc").write_text(json.dumps(EVENT))
    (folder / "schemas" / "topics.toml").write_text(TOPICS.format(first=service))
    (folder / "service.py").write_text(SERVICE)
    (folder / "treaty.toml").write_text(
        '[project]\nnamespace = "shop"\n[environment.local]\n[local]\nservice = "python service.py {service}"\n'
        f'services = ["{service}"]\n'
    )
    return folder


class Command:
    """``treaty up`` in a project, on free ports. ``terminal``: the slave side of one that becomes its controlling terminal."""

    def __init__(self, project: Path, *arguments: str, terminal: int | None = None) -> None:
        self.project, self.output = project, project / "output.txt"
        self.file = StateFile(project / ".treaty")
        free = [word for name in PARTS for word in ("--port", f"{name}=0")]

        def take_terminal() -> None:
            if terminal is not None:
                fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)

        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "treaty", "up", *free, *arguments], cwd=project, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=terminal or output, stderr=output, preexec_fn=take_terminal,  # noqa: PLW1509  # one ioctl
                pass_fds=[terminal] if terminal else [],
            )  # fmt: skip

    def wait_until_it_says(self, words: str, deadline: float = 250.0) -> str:
        """Its output, once it has these words; fails when it ends without them."""
        wait_until(lambda: words in self.text() or self.process.poll() is not None, deadline)
        assert words in self.text(), self.text()
        return self.text()

    def text(self) -> str:
        """What it has written so far."""
        return self.output.read_text()

    def state(self) -> State:
        """The state file's content, while it runs."""
        state = self.file.read()
        assert state is not None
        return state

    def end(self) -> None:
        """For the test's own tidying: ends it if it still runs."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGTERM)
        self.process.wait(90)


def treaty(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs another command in the project."""
    argv = [sys.executable, "-m", "treaty", *arguments]
    return subprocess.run(argv, cwd=project, capture_output=True, text=True, check=False, timeout=250)
