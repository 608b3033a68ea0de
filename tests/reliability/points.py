"""Points to strike: each in the kind of life that passed it first, and so many of them, spread over all, as are asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

W = TypeVar("W")


class Strike(NamedTuple, Generic[W]):
    """A point, where it is passed (with which fence, on which errand), and whether every call fails once in that life."""

    point: str
    where: W
    fails: bool


@dataclass(slots=True)
class Points(Generic[W]):
    """What lives passed."""

    _strikes: dict[str, Strike[W]] = field(default_factory=dict)

    def note(self, passed: Iterable[str], *, where: W, fails: bool) -> None:
        """What a life passed; points that another has passed before stay that one's."""
        for point in passed:
            self._strikes.setdefault(point, Strike(point, where, fails))

    def chosen(self, *, kills: int, only: str) -> list[Strike[W]]:
        """``kills`` at most, 0: every one, of those that have ``only`` in their names."""
        strikes = [strike for strike in self._strikes.values() if only in strike.point]
        count = min(kills or len(strikes), len(strikes))
        return [strikes[number * len(strikes) // count] for number in range(count)]

    def __len__(self) -> int:
        return len(self._strikes)


@dataclass(slots=True)
class Tally:
    """Points of a part of a run that were struck, and those that were not passed again. Each is said at once: a run takes long."""

    part: str
    struck: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def note(self, strike: Strike[Any], *, is_struck: bool, wanted: int) -> None:
        """What became of one of the ``wanted`` ones."""
        (self.struck if is_struck else self.missed).append(strike.point)
        done = len(self.struck) + len(self.missed)
        print(f"{self.part}, {done} of {wanted}: {strike.point}{'' if is_struck else ', not passed again'}", flush=True)
