"""What lint, breaking and generate cost beside parsing the same texts: counted, so that no load of the machine is seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.counts import version
from bench.workflow import steps

MOST = {"lint": 2.65, "breaking": 3.1, "generate": 4.55}
"""Bytecode steps of each command as multiples of parsing, a twentieth above what CPython 3.11 counts. Who makes one cheaper lowers it."""

TOGETHER = 10
"""What all three may cost."""

EVENTS = 40


@pytest.mark.skipif(version() != "CPython 3.11", reason="each minor version has steps of its own")
def test_a_schema_pull_request_costs_no_more_steps_than_on_record(tmp_path: Path) -> None:
    counted = steps(EVENTS, tmp_path)
    parsed = counted.pop("parse")
    dearer = {name: round(count / parsed, 2) for name, count in counted.items() if count > MOST[name] * parsed}
    assert dearer == {}, f"find out why, or say in docs/benchmarks.md why it must cost more than {MOST}"
    assert sum(counted.values()) <= TOGETHER * parsed, "the three together are past what was promised"
