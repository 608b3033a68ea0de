"""``treaty up`` and ``treaty down`` as commands, with a real Kafka: what starts, what is shown, and that nothing is left."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts.waiting import wait_until
from tests.treaty.local.project import Command, make_project, treaty
from treaty.local.health import ask

pytestmark = [pytest.mark.long, pytest.mark.kafka, pytest.mark.timeout(400)]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path)


@pytest.fixture
def up(project: Path) -> Iterator[Command]:
    command = Command(project)
    yield command
    command.end()


def test_up_shows_what_runs_and_down_ends_it(project: Path, up: Command) -> None:
    text = up.wait_until_it_says("ends everything")
    state = up.state()
    assert [part.name for part in state.parts] == ["kafka", "registry", "redis", "smtp", "till"]
    assert all(part.address in text for part in state.parts)
    assert "Declared, but not started: later" in text

    till = state.parts[-1]
    port = int(till.address.rpartition(":")[2])
    assert ask(port, "/", timeout=60)[1].decode() == state.parts[0].address.replace("localhost", "127.0.0.1")

    second = treaty(project, "up", "--port", "kafka=0")
    assert second.returncode == 3
    assert f"pid {up.process.pid}" in second.stderr
    assert "next: treaty down" in second.stderr

    os.kill(till.pid, signal.SIGKILL)
    text = up.wait_until_it_says("status -9")
    assert "service till listens" in text  # its last log lines

    down = treaty(project, "down")
    assert down.returncode == 0, down.stderr
    assert "kafka" in down.stdout
    assert up.process.wait(250) == 0
    assert state.alive() == []
    assert treaty(project, "down").stdout == "Nothing was running.\n"


@pytest.mark.chaos
def test_nothing_outlives_a_killed_up_and_the_next_one_starts(project: Path, up: Command) -> None:
    up.wait_until_it_says("ends everything")
    state = up.state()
    os.kill(up.process.pid, signal.SIGKILL)
    up.process.wait()
    wait_until(lambda: state.alive() == [])
    again = Command(project)
    again.wait_until_it_says("ends everything")
    assert "topics        ready    0 changes; schemas: 0 changes" in again.text()  # the data were kept
    again.end()
    assert again.process.returncode == 0


@pytest.mark.chaos
def test_nothing_outlives_the_terminal(project: Path) -> None:
    terminal, side = os.openpty()
    up = Command(project, terminal=side)
    os.close(side)
    up.wait_until_it_says("ends everything")
    state = up.state()
    os.close(terminal)  # the window is closed: the kernel sends SIGHUP, and writing to it fails from now on
    up.process.wait(250)
    assert state.alive() == []
    assert "Everything has ended." in up.text()


def test_ctrl_c_while_starting_leaves_nothing_and_is_130(tmp_path: Path) -> None:
    """The service never listens, so that the start is not over however late the signal comes."""
    up = Command(make_project(tmp_path, service="silent"))
    wait_until(lambda: (up.file.read() or up.process.poll() is not None) and up.state().parts)
    state = up.state()
    os.kill(up.process.pid, signal.SIGINT)
    assert up.process.wait(250) == 130
    assert state.alive() == []
    assert up.file.read() is None


@pytest.mark.chaos
def test_a_second_ctrl_c_kills_what_does_not_end(tmp_path: Path) -> None:
    """The service hears no wish to end, and a clean end would wait a minute for it."""
    up = Command(make_project(tmp_path, service="stubborn"))
    up.wait_until_it_says("ends everything")
    state = up.state()
    os.kill(up.process.pid, signal.SIGINT)
    up.wait_until_it_says("Stopping; Ctrl-C now kills what does not end.")

    def pressed_again() -> bool:
        if up.process.poll() is None:
            os.kill(up.process.pid, signal.SIGINT)
        return up.process.poll() is not None

    wait_until(pressed_again)
    assert up.process.returncode == 130
    killed = up.text().rpartition("Killed: ")[2]
    assert "stubborn" in killed, up.text()
    assert state.alive() == []
    assert up.file.read() is None


def test_a_service_that_cannot_start_ends_everything_with_3_and_is_named_with_its_last_lines(tmp_path: Path) -> None:
    up = Command(make_project(tmp_path, service="broken"))
    assert up.process.wait(250) == 3
    assert "the service cannot start: no such table" in up.text()
    assert "broken ended while starting." in up.text()
    assert "--without broken" in up.text()
    assert up.file.read() is None
