"""How much a group takes in, when it commits, how long it waits for a dependency, what a failure means for a key."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from treaty_runtime.retry import backoff

OnFailure = Literal["skip", "block", "hold_key"]
"""What becomes of later records of a key: they go on, wait in memory, or follow it into the table of held records (`held`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """High and low marks: records in memory per partition, bytes of keys and values in memory per group (headers are not counted)."""

    high_records: int = 2_000
    low_records: int = 500
    high_bytes: int = 64 << 20
    low_bytes: int = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Marks of backpressure, completions between two commits, and how long to wait before asking a dependency again.

    ``quarantine_after``: a record at which so many processes ended without progress is dead-lettered unread; 0: never.
    """

    marks: Marks = field(default_factory=Marks)
    commit_every: int = 1_000
    first_probe: timedelta = timedelta(milliseconds=500)
    last_probe: timedelta = timedelta(seconds=30)
    quarantine_after: int = 3

    def patience(self, failures: int, jitter: float) -> timedelta:
        """Wait before the next question after that many without an answer."""
        return backoff(failures, first=self.first_probe, ceiling=self.last_probe, jitter=jitter)
