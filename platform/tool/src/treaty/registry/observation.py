"""What the registry tells about itself while it works: frozen records to one hook."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Registered:
    """A registration ended."""

    outcome: Literal["new", "existing", "incompatible", "invalid", "refused"]


@dataclass(frozen=True, slots=True)
class Checked:
    """A compatibility check ended."""

    level: str
    result: Literal["compatible", "incompatible"]


@dataclass(frozen=True, slots=True)
class Retried:
    """Another writer came first; the decision was made again."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A request was answered. ``route`` is the template, never the path."""

    method: str
    route: str
    status: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Remembered:
    """A cache was asked."""

    cache: str
    hit: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """The store was read or written: from asking for it to the end, commit included."""

    operation: Literal["read", "write"]
    seconds: float


@dataclass(frozen=True, slots=True)
class Changed:
    """Something was changed, and the change is committed. ``line``: its entry in the audit, as members of a log line."""

    line: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """A request was turned away at the gate or for want of a role. ``status``: 401, 403 or 429."""

    status: int


@dataclass(frozen=True, slots=True)
class AuditDropped:
    """Refusals were not written down, because there were too many or the store was away."""

    count: int


@dataclass(frozen=True, slots=True)
class Failed:
    """A request ended in an error of ours."""

    request_id: str
    error: BaseException


Record: TypeAlias = (
    Registered | Checked | Retried | Answered | Remembered | Stored | Changed | Refused | AuditDropped | Failed
)
Observe: TypeAlias = Callable[[Record], None]


def ignore(_record: Record) -> None:
    """The hook of those who do not look."""
