"""What ``Dispatch`` is told: its limits, a record that arrived, an attempt that failed."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from treaty_runtime.classify import Kind
from treaty_runtime.event import Record
from treaty_runtime.intake import Marks
from treaty_runtime.retry import backoff

OnFailure = Literal["skip", "block"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Marks of backpressure, completions between two commits, and how long to wait before asking a dependency again."""

    marks: Marks = field(default_factory=Marks)
    commit_every: int = 1_000
    first_probe: timedelta = timedelta(milliseconds=500)
    last_probe: timedelta = timedelta(seconds=30)

    def patience(self, failures: int, jitter: float) -> timedelta:
        """Wait before the next question after that many without an answer."""
        return backoff(failures, first=self.first_probe, ceiling=self.last_probe, jitter=jitter)


@dataclass(slots=True, kw_only=True)
class Arrival:
    """The facts about a record that arrived.

    ``lane`` orders it; None: a lane of its own. ``due``: not before (retry topics). ``skip`` and ``poison`` are first words of
    reasons that need no handler. ``record`` is only kept for whoever carries the actions out.
    """

    lane: Hashable | None
    size: int = 0
    attempt: int = 1
    due: datetime | None = None
    skip: str | None = None
    poison: str | None = None
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """Why an attempt failed: the exception, what it means, and what the handler wants then."""

    kind: Kind
    error: Exception
    on_failure: OnFailure = "skip"
