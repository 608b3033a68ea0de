"""A part that is a program of its own and says on ``/readyz`` whether it is ready: the registry, the mail sink, each service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from treaty.local import health
from treaty.local.errors import StartFailed
from treaty.local.guard import Guard
from treaty.local.process import Process

PATIENCE_SECONDS = 60.0
"""Longer than the orderly end of any service: requests and handlers under way, last commits, relay, producer."""


@dataclass(kw_only=True)
class Program:
    """``argv`` with ``env`` in ``folder``; ``health_port`` answers ``/readyz``. ``note``: what people should know once it is up."""

    name: str
    address: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(repr=False)  # it may hold secrets
    health_port: int
    log: Path
    folder: Path
    note: str = ""
    guard: Guard | None = None
    _process: Process | None = field(default=None, init=False)

    @property
    def process(self) -> Process:
        """The running program. ``StartFailed`` before ``launch``."""
        if self._process is None:
            raise StartFailed(f"{self.name} was not started.")
        return self._process

    def launch(self) -> None:
        """Starts it. Raises ``StartFailed`` when there is no such program."""
        self._process = Process(
            self.argv, name=self.name, log=self.log, env=self.env, folder=self.folder, guard=self.guard
        )

    def is_ready(self) -> bool:
        """Whether it calls itself ready. OSError until it listens."""
        return health.is_ready(self.health_port)

    def complaint(self) -> str:
        """Why it is not ready, in its own words."""
        return health.complaint(self.health_port)

    def stop(self, *, seconds: float = PATIENCE_SECONDS) -> int | None:
        """Ends it, after ``seconds`` by force: a service first finishes what it has begun. The exit status, None without an end."""
        return self.process.stop(seconds=seconds)
