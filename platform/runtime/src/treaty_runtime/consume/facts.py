"""What ``Dispatch`` is told: a record that arrived, an attempt that failed."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime

from treaty_runtime.classify import Kind
from treaty_runtime.event import Record
from treaty_runtime.limits import OnFailure


class Arrival:
    """The facts about a record that arrived.

    ``lane`` orders it; None: a lane of its own. ``due``: not before (retry topics). ``skip`` and ``poison`` are first words of
    reasons that need no handler. ``record`` is only kept for whoever carries the actions out.
    """

    # One is made for each record: what is so of nearly all is read from the class.
    attempt = 1
    due: datetime | None = None
    skip: str | None = None
    poison: str | None = None

    def __init__(self, lane: Hashable | None, size: int = 0, record: Record | None = None) -> None:
        self.lane, self.size, self.record = lane, size, record


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldFact:
    """A row of the table when its partition comes: ``begun`` attempts have not ended."""

    offset: int
    lane: Hashable | None
    attempt: int
    due: datetime | None
    begun: int = 0


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """Why an attempt failed: the exception, what it means, and what the handler wants then."""

    kind: Kind
    error: Exception
    on_failure: OnFailure = "skip"
