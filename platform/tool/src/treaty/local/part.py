"""What the stack is made of: anything that can be launched, asked whether it is ready, and stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from treaty.local.process import Process


class Part(Protocol):
    """A server or service. ``launch`` does not wait; ``is_ready`` may raise OSError for "not yet"."""

    @property
    def name(self) -> str:
        """The word for it in the table, in the log's file name and in ``--port NAME=…``."""
        ...

    @property
    def address(self) -> str:
        """Where it is reached, for people."""
        ...

    @property
    def log(self) -> Path:
        """What it writes."""
        ...

    @property
    def process(self) -> Process:
        """Its process; ``StartFailed`` before ``launch``."""
        ...

    def launch(self) -> None:
        """Starts it without waiting."""
        ...

    def is_ready(self) -> bool:
        """Whether it serves now."""
        ...

    def stop(self) -> int | None:
        """Ends it; the exit status, None if not even SIGKILL ended it."""
        ...
