"""Id greater than last: the relay goes on after the highest position that it has seen."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

from tests.mutants.designs.mutant import Mutant, Swap
from treaty_runtime.publish.backlog import Backlog, Pending

_right = Backlog.read
_last: WeakKeyDictionary[Backlog, float] = WeakKeyDictionary()


async def _read_on(backlog: Backlog, lanes: Iterable[int], **rest: Any) -> list[Pending]:
    last = _last.get(backlog, -math.inf)
    rows = [row for row in await _right(backlog, lanes, **rest) if row.position > last]
    _last[backlog] = max([last, *(row.position for row in rows)])
    return rows


MUTANT = Mutant(
    wrong="The relay reads only rows after the last position it has seen, and skips a lower one that is committed later.",
    swaps=(Swap(Backlog, "read", _read_on),),
    tests=("tests/treaty_runtime/test_relay.py::test_a_late_lower_position_is_not_skipped[sqlite]",),
)
