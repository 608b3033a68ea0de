"""Ack before effect: what arrived is committed, whatever becomes of it."""

from __future__ import annotations

from tests.mutants.designs.mutant import Mutant, Swap
from tests.reliability.wrong import _arrived
from treaty_runtime.consume.watermark import Watermark

MUTANT = Mutant(
    wrong="Offsets are committed when records arrive, before their effects.",
    swaps=(Swap(Watermark, "position", property(_arrived)),),
    tests=(
        "tests/treaty_runtime/test_watermark.py::test_the_first_unfinished_offset_holds_the_watermark",
        "tests/treaty_runtime/test_dispatch.py::test_a_tick_commits_the_watermark_once",
    ),
)
