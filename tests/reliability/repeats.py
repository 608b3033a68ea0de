"""Mails that were sent again: allowed are those that were on their way when their sender died, and so many of them at a time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from treaty.local.smtp import MailFolder

ON_THEIR_WAY = 32
"""Mails that the group sends side by side (``Group.workers``): a death between sending and noting sends each of them once more."""
UNNOTED_SECONDS, LATE_SECONDS = 30.0, 5.0
"""How long a mail that arrived may wait for its note on a busy machine; how long after its sender's death it may still arrive."""

Arrival = tuple[str, float]
"""A mail's Message-ID, and when it came (seconds of `time.time`)."""


def arrivals(folder: Path) -> list[Arrival]:
    """Every mail in the server's folder, oldest first."""
    return [(mail.message_id, (folder / mail.name).stat().st_mtime) for mail in MailFolder(folder).mails()]


def repeat_faults(came: Iterable[Arrival], *, deaths: Sequence[float]) -> list[str]:
    """A sentence when mails were repeated without a death, one when a death repeated more than were on their way."""
    laden: Counter[float] = Counter()
    without: list[str] = []
    for name, first, again in _repeats(came):
        near = [at for at in deaths if first - LATE_SECONDS <= at <= min(again, first + UNNOTED_SECONDS)]
        if near:
            laden[min(near, key=laden.__getitem__)] += 1
        else:
            without.append(f"{name} after {again - first:.1f} s")
    most = max(laden.values(), default=0)
    return [
        *[f"mails: {len(without)} sent again without a death: {', '.join(without[:3])}"] * bool(without),
        *[f"mails: {most} sent again for one death, {ON_THEIR_WAY} are on their way"] * (most > ON_THEIR_WAY),
    ]


def _repeats(came: Iterable[Arrival]) -> Iterator[tuple[str, float, float]]:
    """Each arrival that another of the same mail follows, with that one's time; oldest first."""
    times: dict[str, list[float]] = defaultdict(list)
    for name, at in came:
        times[name].append(at)
    pairs = [(name, first, again) for name, seen in times.items() for first, again in pairwise(sorted(seen))]
    yield from sorted(pairs, key=lambda pair: pair[1])
