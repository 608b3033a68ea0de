"""How many requests each principal may make: a bucket of tokens each, filled at a steady rate. Pure but for its memory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from treaty.registry.cache import Lru

_RATE: Final = re.compile(r"([1-9][0-9]{0,8})/(second|minute|hour)")
_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600}
_BUCKETS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Rate:
    """``count`` requests in ``seconds``."""

    count: float
    seconds: int

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Read ``100/second``, ``6000/minute``, ``…/hour``; raises ``ValueError`` with what to write."""
        match = _RATE.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no rate; write 100/second, 6000/minute or 100000/hour.")
        return cls(int(match[1]), _SECONDS[match[2]])

    def among(self, processes: int) -> Rate:
        """The share of one of several processes that requests are spread over."""
        return Rate(self.count / processes, self.seconds)


class Buckets:
    """A bucket a key, full at first. Used from one thread: the event loop's."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._held: Lru[str, tuple[float, float]] = Lru(_BUCKETS)

    def take(self, key: str, *, at: float) -> bool:
        """Take one token at a time (monotonic seconds); False if there is none."""
        most = max(1.0, self._rate.count)
        left, since = self._held.get(key) or (most, at)
        left = min(most, left + (at - since) * self._rate.count / self._rate.seconds)
        self._held.put(key, (left - 1 if left >= 1 else left, at))
        return left >= 1
