"""What ``treaty up`` refuses before it starts anything: exit code 3, the reason, the next step."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.treaty.local.project import make_project, treaty
from treaty.local.guard import identity
from treaty.local.state import Running, State, StateFile


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path)


def test_a_busy_port_is_named_with_its_holder(project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        answer = treaty(project, "up", "--port", f"kafka={port}")
    assert answer.returncode == 3
    assert f"Port {port}, which kafka needs, is held by" in answer.stderr
    assert f"(pid {os.getpid()})" in answer.stderr
    assert "--port kafka=<number>" in answer.stderr


def test_living_leftovers_are_refused_and_down_ends_them(project: Path) -> None:
    import subprocess

    with subprocess.Popen(["sleep", "600"], start_new_session=True) as left:
        part = Running(name="redis", pid=left.pid, began=identity(left.pid) or "")
        gone = Running(name="treaty up", pid=2**22 + 1, began="1")
        (project / ".treaty").mkdir()
        StateFile(project / ".treaty").write(State(supervisor=gone, parts=(part,)))
        answer = treaty(project, "up")
        assert answer.returncode == 3
        assert f"redis (pid {left.pid})" in answer.stderr
        assert "next: treaty down" in answer.stderr
        assert treaty(project, "down").stdout == "Ended: redis.\n"
        assert left.wait(60) < 0


def test_an_unknown_name_for_a_port_is_a_usage_error(project: Path) -> None:
    answer = treaty(project, "up", "--port", "kafak=1")
    assert answer.returncode == 2
    assert "kafka, registry" in answer.stderr


def test_a_full_disk_is_said_before_anything_starts(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from treaty.local import stack
    from treaty.local.errors import NoSpace
    from treaty.local.layout import Layout, ports_for
    from treaty.local.machine import Machine

    monkeypatch.setattr(stack, "FREE_BYTES", 2**63)
    free = dict.fromkeys(("kafka", "registry", "redis", "smtp", "mail"), 0)
    layout = Layout(root=project, ports=ports_for((), configured={}, by_hand=free))
    with pytest.raises(NoSpace, match="MB are free"):
        stack.check(layout, Machine(env=os.environ))
