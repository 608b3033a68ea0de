"""What lint, breaking and generate cost beside parsing the same texts: counted, so that no load of the machine is seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.counts import version
from bench.workflow import steps

MOST = {"lint": 2.57, "breaking": 3.0, "generate": 4.43}
"""Bytecode steps of each command as multiples of parsing, a sixtieth above what CPython 3.11 counts. Who makes one cheaper lowers it."""

TOGETHER = 10
"""What all three may cost; the rows above share it out."""

EVENTS = 40


def test_what_each_command_may_cost_adds_up_to_what_was_promised_of_all() -> None:
    assert round(sum(MOST.values()), 2) <= TOGETHER, "one may only cost more where another costs less"


@pytest.mark.skipif(version() != "CPython 3.11", reason="each minor version has steps of its own")
def test_a_schema_pull_request_costs_no_more_steps_than_on_record(tmp_path: Path) -> None:
    counted = steps(EVENTS, tmp_path)
    parsed = counted.pop("parse")
    dearer = {name: round(count / parsed, 2) for name, count in counted.items() if count > MOST[name] * parsed}
    assert dearer == {}, f"find out why, or say in docs/benchmarks.md why it must cost more than {MOST}"
