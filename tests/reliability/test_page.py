"""The page of the runs: a row for each kind, the last one stays."""

from __future__ import annotations

from tests.reliability.outcome import Outcome
from tests.reliability.page import written

PAGE = "# Reliability\n\n<!-- runs -->\n<!-- /runs -->\n\nThe end.\n"


def outcome(run: str, *, seed: int, wrong: tuple[str, ...] = ()) -> Outcome:
    return Outcome(run=run, faults="3 SIGKILLs", records=1_000, seed=seed, seconds=120, wrong=wrong, seen={"lives": 4})


def test_a_run_replaces_its_own_row_and_leaves_the_others() -> None:
    page = written(PAGE, outcome("relays", seed=1), command="make a")
    page = written(page, outcome("consumers", seed=2), command="make b")
    page = written(page, outcome("relays", seed=3), command="make a")
    rows = [line for line in page.splitlines() if line.startswith("| ") and "seed" not in line]
    assert rows == [
        "| consumers | 3 SIGKILLs | 1,000 | 0 | 4 lives | 2 | 2 | `make b` |",
        "| relays | 3 SIGKILLs | 1,000 | 0 | 4 lives | 3 | 2 | `make a` |",
    ]
    assert page.startswith("# Reliability\n\n<!-- runs -->\n")
    assert page.endswith("<!-- /runs -->\n\nThe end.\n")


def test_what_was_wrong_stands_in_the_row() -> None:
    page = written(PAGE, outcome("relays", seed=1, wrong=("lost-write: 2 events",)), command="make a")
    assert "| **1**: lost-write: 2 events |" in page
