"""From nothing to moving traffic, and what the whole stack weighs. Downloads are not counted: the cache is warm."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.report import Row

ROOT = Path(__file__).resolve().parent.parent
COLD_SECONDS, WARM_SECONDS, RESIDENT_MB, HELP_MS = 90, 20, 1536, 150
MOVING = re.compile(r"handled ([1-9]\d*)")


def measure() -> list[Row]:
    """Rows of the command's start, the demo cold and warm, and its memory."""
    rows = [help_row()]
    with tempfile.TemporaryDirectory() as folder:
        project(Path(folder))
        cold, resident = until_moving(Path(folder))
        warm, _ = until_moving(Path(folder))
    rows.append(
        Row("`treaty demo`, first run, to moving traffic", f"{cold:.0f} s", f"≤ {COLD_SECONDS} s", cold <= COLD_SECONDS)
    )
    rows.append(
        Row("`treaty demo`, again, to moving traffic", f"{warm:.0f} s", f"≤ {WARM_SECONDS} s", warm <= WARM_SECONDS)
    )
    rows.append(Row("whole stack, resident", f"{resident:.0f} MB", f"≤ {RESIDENT_MB} MB", resident <= RESIDENT_MB))
    return rows


def help_row() -> Row:
    """The median of fifteen starts of the command."""
    program = Path(sys.executable).parent / "treaty"
    times = []
    for _ in range(15):
        started = time.perf_counter()
        subprocess.run([program, "--help"], stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - started)
    median = sorted(times)[7] * 1000
    return Row("`treaty --help`, median of 15", f"{median:.0f} ms", f"≤ {HELP_MS} ms", median <= HELP_MS)


def project(folder: Path) -> None:
    """The mall's schemas and settings in a folder of their own, so that a running stack is left alone."""
    for name in ("treaty.toml", "schemas", "services"):
        (folder / name).symlink_to(ROOT / name)


def until_moving(folder: Path) -> tuple[float, float]:
    """Seconds until a consumer has handled an event, and megabytes resident (shared pages shared out) at that moment."""
    program = Path(sys.executable).parent / "treaty"
    started = time.perf_counter()
    demo = subprocess.Popen([program, "demo"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert demo.stdout is not None
        said: list[str] = []
        for line in demo.stdout:
            said.append(line)
            if MOVING.search(line):
                return time.perf_counter() - started, megabytes(demo.pid)
        raise RuntimeError(f"the demo ended with {demo.wait()} before an event was handled:\n{''.join(said[-10:])}")
    finally:
        demo.send_signal(signal.SIGINT)
        try:
            demo.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            demo.kill()
            raise


def megabytes(root: int) -> float:
    """Proportional resident memory of a process and all below it."""
    total = 0
    for pid in [root, *below(root)]:
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
            match = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
            total += int(match[1]) if match else 0
    return total / 1024


def below(root: int) -> Iterator[int]:
    """All descendants of a process."""
    for task in Path(f"/proc/{root}/task").iterdir():
        with contextlib.suppress(OSError):
            for child in map(int, (task / "children").read_text(encoding="ascii").split()):
                yield child
                yield from below(child)
