"""Places in a topic as operators write them; what they mean is for `treaty_runtime.seek` to say."""

from __future__ import annotations

from datetime import datetime, timedelta

from treaty.errors import UsageError
from treaty_runtime.seek import InvalidSeek, Kind, Seek, Span, target
from treaty_runtime.seek import parse_seek as parsed

__all__ = ["LONGEST_INBOX", "Kind", "Seek", "Span", "parse_seek", "target"]

LONGEST_INBOX = timedelta(hours=192)
"""How long inboxes remember what was handled, unless a service keeps its own otherwise."""


def parse_seek(text: str, *, now: datetime) -> Seek:
    """The seek of a text; ``UsageError`` that shows the grammar for anything else."""
    try:
        return parsed(text, now=now)
    except InvalidSeek as error:
        grammar = "write start, end, 1042, -100, @2026-11-21T08:00Z, @-2h or shift:-50"
        raise UsageError(str(error), next_step=grammar) from error
