"""A registry as its own process, as an operator starts it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from treaty.local.ports import free_port

CODE = (
    "import json, sys; from treaty.registry import RegistrySettings, serve; "
    "told = json.loads(sys.stdin.readline()); sys.exit(serve(RegistrySettings(**told)))"
)


@contextmanager
def running(*, said: list[str] | None = None, **settings: object) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The process, which listens when this is entered, and its port; it is ended, by force if it does not end itself.

    ``said`` gets the lines that it writes from then on.
    """
    told = {"port": free_port(), **settings}
    process = subprocess.Popen([sys.executable, "-c", CODE], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stderr is not None
    try:
        process.stdin.write(json.dumps(told) + "\n")
        process.stdin.flush()
        line = process.stderr.readline()
        assert "listens on" in line, line + process.stderr.read()
        # Read on, or a process that says much would wait for ever for somebody who listens.
        heard = [] if said is None else said
        threading.Thread(target=heard.extend, args=(process.stderr,), daemon=True).start()
        yield process, int(line.strip().rpartition(":")[2])
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def children(pid: int) -> list[int]:
    """Processes that a process has started and that still run; ``spawn`` starts a watcher of its own beside the workers."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            number = int(entry.name)
            state, parent = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[:2]
            command = (entry / "cmdline").read_text(encoding="utf-8")
            if int(parent) == pid and state != "Z" and "spawn_main" in command:
                found.append(number)
    return sorted(found)
