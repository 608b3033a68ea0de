"""Services have the time to end what they have begun, all of them together, and are killed only after it."""

from __future__ import annotations

import os
import signal
from inspect import signature
from pathlib import Path

import pytest
from rich.console import Console

from tests.parts.waiting import wait_until
from treaty.local import process
from treaty.local.down import STOP_SECONDS
from treaty.local.errors import NotEnded
from treaty.local.guard import Guard, identity
from treaty.local.kafka import Kafka
from treaty.local.layout import Layout, ports_for
from treaty.local.machine import Machine
from treaty.local.program import PATIENCE_SECONDS, Program
from treaty.local.stack import Stack
from treaty.local.view import View

DEAF = "import signal; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
DEAF_WITH_CHILD = f"import subprocess; child = subprocess.Popen(['sleep', '600']); print(child.pid, end=' ');{DEAF}"
SERVICES = ("one", "two")


def two_deaf_services(folder: Path, machine: Machine, guard: Guard, *, program: str = DEAF) -> Stack:
    """A stack of which only two services run that do not hear SIGTERM."""
    (folder / "deaf.py").write_text(program)
    layout = Layout(
        root=folder,
        services=SERVICES,
        service_command="python deaf.py {service}",
        ports=ports_for(SERVICES, configured={}, by_hand=dict.fromkeys(SERVICES, 0)),
    )
    made = Stack(layout, machine=machine, guard=guard, view=View(Console(quiet=True)))
    for service in made.services:
        service.launch()
        made._launched.append(service)
    for service in made.services:
        wait_until(lambda: "deaf" in service.process.tail())  # noqa: B023  # called before the next one
    return made


def test_services_share_one_patience_and_are_killed_after_it(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[float] = []
    stop = Program.stop

    def noted(program: Program, *, seconds: float = PATIENCE_SECONDS) -> int | None:
        given.append(seconds)
        return stop(program, seconds=min(seconds, 0.1))

    guard = Guard()
    try:
        deaf = two_deaf_services(tmp_path, machine, guard)
        monkeypatch.setattr(Program, "stop", noted)
        deaf.stop()
    finally:
        guard.close()
    assert PATIENCE_SECONDS >= given[0] > given[1] > 0
    assert [service.process.returncode for service in deaf.services] == [-signal.SIGKILL] * 2


def test_killing_takes_what_an_ended_service_left_and_names_what_does_not_end(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = Guard()
    try:
        stack = two_deaf_services(tmp_path, machine, guard, program=DEAF_WITH_CHILD)
        one, two = (service.process for service in stack.services)
        children = [int(service.tail().split()[-2]) for service in (one, two)]
        os.kill(one.pid, signal.SIGKILL)
        wait_until(lambda: not one.is_alive)
        with monkeypatch.context() as held:
            held.setattr(process, "KILLED_SECONDS", 0.05)
            held.setattr(os, "killpg", lambda *_: None)  # the kernel holds them, as it were
            stack.kill()
        with pytest.raises(NotEnded, match=rf"^Killed, and not ended yet: two \(process {two.pid}\)\."):
            stack.require_ended()
        assert stack.kill() == ["two", "one"]
        stack.require_ended()
        wait_until(lambda: not any(identity(child) for child in children))
    finally:
        guard.close()


def test_a_service_alone_has_the_same_patience_and_down_waits_longer() -> None:
    assert signature(Program.stop).parameters["seconds"].default == PATIENCE_SECONDS
    assert PATIENCE_SECONDS + signature(Kafka.stop).parameters["seconds"].default < STOP_SECONDS
