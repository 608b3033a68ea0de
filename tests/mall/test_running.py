"""A service that is loaded keeps Python from looking through what it loaded again and again."""

from __future__ import annotations

import subprocess
import sys

GATHERED = """
import gc, sys
from mall.running import set_aside_what_is_loaded
kept = [[number] for number in range(300_000)]
if sys.argv[1] == "aside":
    set_aside_what_is_loaded()
    assert gc.get_freeze_count() > 300_000
    assert gc.get_threshold()[0] == 5_000
else:
    gc.collect()
before, most, waiting = sys.getallocatedblocks(), 0, []
for number in range(400_000):
    circle = []
    circle.append(circle)
    waiting.append(circle)  # until it is old
    if len(waiting) > 5_000:
        waiting = []
    if number % 1_000 == 0:
        most = max(most, sys.getallocatedblocks() - before)
print(most)
"""


def test_garbage_does_not_gather_until_it_is_a_quarter_of_what_was_loaded() -> None:
    aside, not_aside = (
        int(subprocess.run([sys.executable, "-c", GATHERED, how], check=True, capture_output=True, text=True).stdout)
        for how in ("aside", "not")
    )
    assert aside < 0.8 * not_aside
