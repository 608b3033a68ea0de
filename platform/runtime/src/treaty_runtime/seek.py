"""Places in a topic as people write them: `start`, `end`, `1042`, `-100`, `@2026-11-21T08:00Z`, `@-2h`, `shift:-50`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from treaty_runtime.errors import InvalidSettings, TreatyError
from treaty_runtime.retry import parse_duration

Span = tuple[int, int]

_OFFSET, _LAST = re.compile(r"[0-9]{1,18}"), re.compile(r"-[1-9][0-9]{0,17}")
_SHIFT = re.compile(r"shift:([+-][0-9]{1,18})")


class InvalidSeek(TreatyError):
    """Write start, end, 1042, -100, @2026-11-21T08:00Z, @-2h or shift:-50."""


class Kind(Enum):
    """What the number or the instant of a seek means."""

    START = "start"
    END = "end"
    OFFSET = "offset"
    LAST = "last"
    SHIFT = "shift"
    TIME = "time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seek:
    """A wish; ``number`` and ``at`` only where its kind has one."""

    kind: Kind
    number: int = 0
    at: datetime | None = None


def parse_seek(text: str, *, now: datetime) -> Seek:
    """The seek of a text; ``InvalidSeek`` for anything else."""
    if text in {"start", "end"}:
        return Seek(kind=Kind(text))
    if _OFFSET.fullmatch(text):
        return Seek(kind=Kind.OFFSET, number=int(text))
    if _LAST.fullmatch(text):
        return Seek(kind=Kind.LAST, number=-int(text))
    if match := _SHIFT.fullmatch(text):
        return Seek(kind=Kind.SHIFT, number=int(match[1]))
    at = _instant(text.removeprefix("@"), now=now) if text.startswith("@") else None
    if at is None:
        raise InvalidSeek(f"`{text}` is no place.")
    return Seek(kind=Kind.TIME, at=at)


def target(seek: Seek, span: Span, *, committed: int | None, at_time: int | None) -> int | None:
    """The offset that is meant, not clamped; None where there is nothing to shift from. ``at_time``: the broker's for ``seek.at``."""
    start, end = span
    match seek.kind:
        case Kind.START:
            return start
        case Kind.END:
            return end
        case Kind.OFFSET:
            return seek.number
        case Kind.LAST:
            return max(start, end - seek.number)
        case Kind.SHIFT:
            return None if committed is None else committed + seek.number
        case Kind.TIME:
            return end if at_time is None else at_time


def _instant(text: str, *, now: datetime) -> datetime | None:
    try:
        if text.startswith("-"):
            return now - parse_duration(text[1:])
        at = datetime.fromisoformat(text)
    except (ValueError, InvalidSettings, OverflowError):
        return None
    return at if at.tzinfo is not None else None
