"""Children end with us, and only ours are ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.parts.waiting import wait_until
from treaty.local import process
from treaty.local.errors import StartFailed
from treaty.local.guard import end_groups, identity
from treaty.local.process import Process

SLEEP = ["sleep", "600"]
DEAF = "import signal; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
PARENT = """
import os, sys, time
from pathlib import Path
from treaty.local.process import Process
child = Process(["sleep", "600"], name="child", log=Path(sys.argv[1]), env=os.environ)
print(child.pid, flush=True)
time.sleep(600)
"""
GUARDED = """
import subprocess, sys, time
from treaty.local.guard import Guard
guard = Guard()
child = subprocess.Popen(["sh", "-c", "sleep 600 & wait"], start_new_session=True)
guard.watch(child.pid)
print(child.pid, guard.pid, flush=True)
time.sleep(600)
"""


def started(tmp_path: Path, *argv: str) -> Process:
    return Process(argv or SLEEP, name="child", log=tmp_path / "logs" / "child.log", env=os.environ)


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert identity(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: identity(child) is None)


def group_of(stat: Path) -> int:
    """The process group that a `/proc/PID/stat` tells of; -1 if the process has ended meanwhile."""
    try:
        return int(stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[2])
    except OSError:
        return -1


def members_of(group: int) -> list[str]:
    return [stat.parent.name for stat in Path("/proc").glob("[0-9]*/stat") if group_of(stat) == group]


def test_the_guard_ends_whole_groups_when_we_are_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", GUARDED], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child, guard = map(int, parent.stdout.readline().split())
    wait_until(lambda: len(members_of(child)) == 2)  # the shell starts its own child a moment later
    members = members_of(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: all(identity(int(pid)) is None for pid in [*members, str(guard)]))


def test_a_child_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    child = started(tmp_path, sys.executable, "-c", DEAF)
    wait_until(lambda: "deaf" in child.tail())
    assert child.stop(seconds=0.1) == -signal.SIGKILL


def left_behind(tmp_path: Path) -> tuple[Process, int]:
    """A child that has ended, and the process that it left in its group."""
    leader = started(tmp_path, "sh", "-c", "sleep 600 & echo $!")
    wait_until(lambda: not leader.is_alive)
    return leader, int(leader.tail().split()[-1])


def test_what_an_ended_child_left_in_its_group_is_killed_with_it(tmp_path: Path) -> None:
    leader, left = left_behind(tmp_path)
    assert identity(left)
    leader.kill()
    wait_until(lambda: identity(left) is None)
    assert leader.returncode == 0


def test_a_group_whose_leader_s_id_is_somebody_else_s_by_now_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader, left = left_behind(tmp_path)
    monkeypatch.setattr(process, "identity", lambda _pid: "1")
    leader.kill()
    monkeypatch.undo()
    assert identity(left)
    leader.kill()
    wait_until(lambda: identity(left) is None)


def test_what_not_even_sigkill_ends_is_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = started(tmp_path, sys.executable, "-c", DEAF)
    wait_until(lambda: "deaf" in child.tail())
    monkeypatch.setattr(process, "KILLED_SECONDS", 0.05)
    monkeypatch.setattr(os, "killpg", lambda *_: None)  # the kernel holds it, as it were
    assert child.stop(seconds=0.05) is None
    monkeypatch.undo()
    assert child.stop(seconds=0) == -signal.SIGKILL


def test_a_process_of_another_start_time_is_left_alone(tmp_path: Path) -> None:
    child = started(tmp_path)
    end_groups({child.pid: "1"}, seconds=1)
    assert child.is_alive
    end_groups({child.pid: child.identity}, seconds=60)
    assert child.stop() == -signal.SIGTERM


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match="no-such-program"):
        started(tmp_path, "no-such-program")


def test_a_child_that_ends_while_starting_is_told_with_its_last_lines(tmp_path: Path) -> None:
    child = started(tmp_path, sys.executable, "-c", "print('first', flush=True); raise SystemExit('broken setting')")
    with pytest.raises(StartFailed, match=r"status 1 while starting\.\n  \| first\n  \| broken setting"):
        child.wait_until(lambda: False, seconds=90)


def test_a_child_that_is_late_is_stopped(tmp_path: Path) -> None:
    child = started(tmp_path)
    with pytest.raises(StartFailed, match="not ready after 0 s"):
        child.wait_until(lambda: False, seconds=0.05)
    assert not child.is_alive
