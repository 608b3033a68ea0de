"""Which schemas are known to go together, so that a new version is compared once with each of those before it.

Laws: what two resolved contents are to each other never changes, so it is remembered for ever. Only agreement is remembered:
what disagrees has to be told with its reasons, and ends the comparison anyway.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final, Literal

from treaty.registry.cache import Lru

PAIRS: Final = 10_000


class Verdicts:
    """Remembers, by resolved hash, who reads whom. Thread-safe."""

    def __init__(self) -> None:
        self._reads: Lru[bytes, Literal[True]] = Lru(PAIRS)

    def open(self, new: bytes, olds: Collection[bytes], *, level: str) -> set[bytes]:
        """Those of the old schemas of which it is not known that the new one may follow them at this level."""
        pairs = {old: tuple(_pairs(new, old, level)) for old in olds}
        known = self._reads.known([pair for both in pairs.values() for pair in both])
        return {old for old, both in pairs.items() if not known.issuperset(both)}

    def keep(self, new: bytes, olds: Iterable[bytes], *, level: str) -> None:
        """Remember that the new schema may follow all of these at this level."""
        for old in olds:
            for pair in _pairs(new, old, level):
                self._reads.put(pair, True)


def _pairs(new: bytes, old: bytes, level: str) -> Iterator[bytes]:
    """Reader and writer of each direction that the level asks for."""
    if not level.startswith("FORWARD"):
        yield new + old
    if not level.startswith("BACKWARD"):
        yield old + new
