"""A job for later: what a handler schedules and the delay queue runs once, never early."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """``queue`` and ``id`` name it (the same pair again is the same job); ``due`` is aware; ``payload`` at most 64 kB."""

    queue: str
    id: str
    due: datetime
    payload: bytes = b""
