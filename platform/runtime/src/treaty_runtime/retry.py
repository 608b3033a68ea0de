"""When a failed record is tried again: the schedule of a group, as a pure function of attempt, error and randomness."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from treaty_runtime.errors import InvalidSettings, Retry

CONFLICTS_AT_ONCE = 5
"""How often what lost against another transaction is simply run again before that counts as a failure."""
_RETRY_TOPICS = "retry."
_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"(0|[1-9][0-9]{0,8})(ms|s|m|h|d)")


def parse_duration(text: str) -> timedelta:
    """`10s`, `500ms`, `2m`, `1h` or `7d` as a duration; ``InvalidSettings`` otherwise."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise InvalidSettings([f"{text!r} is no duration: write a number and ms, s, m, h or d, e.g. 10s"])
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


@dataclass(frozen=True, slots=True)
class Delay:
    """How long to wait before the next attempt. ``name`` is the declared text, which names the retry topic; None: in place."""

    after: timedelta
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """The schedule: attempts are 1 + the number of ``delays`` (texts as in topics.toml).

    Waits up to ``in_place_up_to`` hold only the record's lane; longer ones go through a retry topic. After ``throttle_after``
    failures in a row records run one per ``throttle_pause`` until a success.
    """

    delays: tuple[str, ...] = ("1s", "10s", "60s")
    in_place_up_to: timedelta = timedelta(seconds=2)
    jitter: float = 0.2
    throttle_after: int = 50
    throttle_pause: timedelta = timedelta(seconds=1)

    def __post_init__(self) -> None:
        """Refuses texts that are no durations now rather than at the first failure."""
        for text in self.delays:
            parse_duration(text)

    def delay(self, attempt: int, error: Exception, jitter: float) -> Delay | None:
        """The wait after failed attempt number ``attempt`` (1 = first); None: give up.

        ``jitter`` in [0, 1) lengthens the wait by up to ``self.jitter``, never shortens it. An error that is ``Retry`` names its own
        wait; it still counts as an attempt, and takes the topic of the shortest delay that is as long, of the longest if none is.
        """
        if not 1 <= attempt <= len(self.delays):
            return None
        name: str | None = self.delays[attempt - 1]
        wait = parse_duration(self.delays[attempt - 1])
        if isinstance(error, Retry):
            wait, name = error.after, self._nearest(error.after)
        after = wait * (1 + self.jitter * jitter)
        return Delay(after) if wait <= self.in_place_up_to else Delay(after, name)

    def topics(self, group: str) -> tuple[str, ...]:
        """Every retry topic of the group, shortest wait first; `retry.<group>.0s`, for replays, always exists."""
        waits = ("0s", *(name for name in self._long() if name != "0s"))
        return tuple(retry_topic(group, delay=name) for name in waits)

    def _long(self) -> list[str]:
        return [name for name in dict.fromkeys(self.delays) if parse_duration(name) > self.in_place_up_to]

    def _nearest(self, wait: timedelta) -> str | None:
        """A topic that the group reads: in it a record keeps those behind it waiting, so the difference should be small."""
        shortest_first = sorted(self._long(), key=parse_duration)
        for name in shortest_first:
            if parse_duration(name) >= wait:
                return name
        return shortest_first[-1] if shortest_first else None


def retry_topic(group: str, *, delay: str) -> str:
    """Name of the topic in which records of ``group`` wait for ``delay`` (`10s`)."""
    return f"{_RETRY_TOPICS}{group}.{delay}"


def is_retry_topic(name: str) -> bool:
    """Whether records of any group wait there: only their headers say where they were before."""
    return name.startswith(_RETRY_TOPICS)


def backoff(failures: int, *, first: timedelta, ceiling: timedelta, jitter: float) -> timedelta:
    """Wait before probing a dependency again after ``failures`` probes (0 = none yet): doubling, full jitter.

    ``jitter`` in [0, 1) picks from [half, whole): a probe storm is avoided while the first wait stays near ``first``.
    """
    whole = min(ceiling, first * (1 << min(failures, 16)))
    return whole * (0.5 + jitter / 2)
