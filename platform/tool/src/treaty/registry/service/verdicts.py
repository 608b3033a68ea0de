"""Which schemas are known to go together, so that a new version is compared once with each of those before it.

Laws: what two resolved contents are to each other never changes, so it is remembered for ever. Only agreement is remembered:
what disagrees has to be told with its reasons, and ends the comparison anyway.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal

from treaty.registry.cache import Lru

PAIRS: Final = 10_000
HISTORIES: Final = 1_000
"""Schemas that were found to go together with a whole history: asked for in one look, where a pair would be two hundred."""


class Verdicts:
    """Remembers, by resolved hash, who reads whom. Thread-safe."""

    def __init__(self) -> None:
        self._reads: Lru[bytes, Literal[True]] = Lru(PAIRS)
        self._settled: Lru[bytes, Literal[True]] = Lru(HISTORIES)

    def open(self, new: bytes, olds: Sequence[bytes], *, level: str) -> set[bytes]:
        """Those of the old schemas of which it is not known that the new one may follow them at this level."""
        history = hashlib.sha256(b"".join((level.encode(), new, *olds))).digest()
        if self._settled.get(history):
            return set()
        pairs = {old: tuple(_pairs(new, old, level)) for old in olds}
        known = self._reads.known([pair for both in pairs.values() for pair in both])
        found = {old for old, both in pairs.items() if not known.issuperset(both)}
        if not found:
            self._settled.put(history, True)
        return found

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
