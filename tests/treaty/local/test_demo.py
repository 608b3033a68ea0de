"""``treaty demo`` on the mall itself: every part real, a few seconds of traffic, everything handled at the end."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mall import SERVICES
from tests.treaty.local.project import PARTS
from treaty.local.state import StateFile

ROOT = Path(__file__).parents[3]


@pytest.mark.long
@pytest.mark.kafka
@pytest.mark.timeout(600)
def test_the_demo_trades_for_some_seconds_and_every_event_is_handled(tmp_path: Path) -> None:
    shutil.copy(ROOT / "treaty.toml", tmp_path)
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    free = [word for name in (*PARTS, *SERVICES) for word in ("--port", f"{name}=0")]
    demo = subprocess.run(
        [sys.executable, "-m", "treaty", "demo", "--seconds", "20", "--rate", "8", "--seed", "1", *free],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip
    said = demo.stderr
    assert demo.returncode == 0, said
    assert " ended " not in said, said
    assert "/quick-test" in said
    summary = re.search(r"Events: (\d+) published, (\d+) handled, (\d+) dead letters, lag (\d+)\.", said)
    assert summary, said
    published, handled, dead, lag = map(int, summary.groups())
    assert published > 50
    assert handled > published  # most events have several readers
    assert (dead, lag) == (0, 0)
    assert "Failed:" not in said
    assert StateFile(tmp_path / ".treaty").read() is None
