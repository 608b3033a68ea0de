"""What Kafka, Redis and PostgreSQL have in common here: a folder, a port on loopback, one process."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Self

from treaty.local.errors import StartFailed
from treaty.local.guard import Guard
from treaty.local.machine import Machine
from treaty.local.ports import free_port
from treaty.local.process import Process


class Server(ABC):
    """A server with its data in ``folder``. Started again on the same folder, it has the same data. Nothing happens before ``start``."""

    name: ClassVar[str]
    title: ClassVar[str]
    """Its name as people write it."""
    start_seconds: ClassVar[float]

    def __init__(
        self, folder: Path, *, machine: Machine, port: int = 0, log: Path | None = None, guard: Guard | None = None
    ) -> None:
        """``port`` 0: a free one."""
        self.folder, self.port = folder.absolute(), port or free_port()
        self.log = log or self._own_log()
        self._machine, self._guard = machine, guard
        self._process: Process | None = None

    @property
    def address(self) -> str:
        """Host and port, as people say it."""
        return f"localhost:{self.port}"

    @property
    def process(self) -> Process:
        """The running server. ``StartFailed`` before ``launch``."""
        if self._process is None:
            raise StartFailed(f"{self.title} was not started.")
        return self._process

    def start(self) -> Self:
        """Starts and waits until it serves. Raises what ``launch`` does, or ``StartFailed`` with its last lines."""
        self.launch()
        self.process.wait_until(self.is_ready, seconds=self.start_seconds)
        return self

    @abstractmethod
    def launch(self) -> None:
        """Everything of ``start`` but the waiting."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it serves now. OSError until it listens."""

    def stop(self) -> int | None:
        """Ends it cleanly, with everything written; the exit status, None if not even SIGKILL ended it."""
        return self.process.stop()

    def _own_log(self) -> Path:
        return self.folder / f"{self.name}.log"
