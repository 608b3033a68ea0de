"""A dependency that is away, while it is."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from treaty_runtime.consume.intake import Work


@dataclass(slots=True, eq=False)
class Away:
    """A dependency is away ``since`` then; one record probes, ``parked`` ones wait."""

    since: datetime
    dependency: str
    probe: Work
    failures: int = 0
    parked: deque[Work] = field(default_factory=deque)


def dependency_of(error: Exception) -> str:
    """Who is away: what the error says, else the library it comes from."""
    return str(getattr(error, "dependency", None) or type(error).__module__.partition(".")[0])
