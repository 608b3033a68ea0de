"""Bars of long work: seen on a terminal, erased at the end, beside lines of the command's own, and nowhere else."""

from __future__ import annotations

import os
import pty
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from treaty.cli.progress import is_watched

WORKS = """
import sys, threading
import click
from treaty.cli.progress import working

@click.command()
def work():
    with working("Reading records") as bar:
        bar.told(3, 10)
        sys.stdin.readline()
        bar.told(4, 10)
        with bar.aside():
            click.echo("a line of its own")
    click.echo(f"waits: {any(each.name == 'bar' for each in threading.enumerate())}", err=True)

work()
"""
ERASED = "\x1b[2K"


class Terminal:
    """A pseudo-terminal as a command's stderr, and what came to it."""

    def __init__(self) -> None:
        self._ours, self.theirs = pty.openpty()
        self.seen = ""

    def read(self) -> bool:
        """Waits for more; False where the other side is closed."""
        try:
            piece = os.read(self._ours, 65536)
        except OSError:  # Linux says so when the other side is closed
            piece = b""
        self.seen += piece.decode("utf-8", "replace")
        return bool(piece)

    def read_until(self, words: str) -> None:
        while words not in self.seen:
            assert self.read(), self.seen

    def read_all(self) -> str:
        while self.read():
            pass
        os.close(self._ours)
        return self.seen


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"CI", "NO_COLOR", "GITHUB_ACTIONS"}}
    return {**kept, "TERM": "xterm", "COLUMNS": "100"}


@contextmanager
def silent_registry() -> Iterator[tuple[str, threading.Event]]:
    """Takes connections and says nothing, until the event is set; then it closes each."""
    released = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            released.wait(120)
            connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}", released
    finally:
        released.set()
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(60)


def test_a_command_that_waits_shows_a_bar_and_takes_it_away_before_it_says_why_it_ends(tmp_path: Path) -> None:
    terminal = Terminal()
    with silent_registry() as (url, released), (tmp_path / "out").open("wb") as out:
        command = [sys.executable, "-m", "treaty", "registry", "export", "--url", url, "--to", str(tmp_path / "backup")]
        with subprocess.Popen(command, stdout=out, stderr=terminal.theirs, env=environment()) as running:
            os.close(terminal.theirs)
            terminal.read_until("Reading subjects")
            released.set()
            seen = terminal.read_all()
            assert running.wait(120) == 3
    bar, erased, end = seen.rpartition(ERASED)
    assert ("Reading subjects" in bar, erased, "Reading subjects" in end) == (True, ERASED, False)
    assert "does not answer" in end
    assert (tmp_path / "out").read_bytes() == b"", "data are never touched"


def test_lines_of_the_command_stand_beside_the_bar(tmp_path: Path) -> None:
    terminal = Terminal()
    with (
        (tmp_path / "out").open("wb") as out,
        subprocess.Popen(
            [sys.executable, "-c", WORKS], stdin=subprocess.PIPE, stdout=out, stderr=terminal.theirs, env=environment()
        ) as running,
    ):
        os.close(terminal.theirs)
        terminal.read_until("3/10")
        assert running.stdin is not None
        running.stdin.write(b"\n")
        running.stdin.close()
        seen = terminal.read_all()
        assert running.wait(120) == 0
    assert (tmp_path / "out").read_text() == "a line of its own\n"
    assert seen.rpartition(ERASED)[2].endswith("waits: False\r\n"), "the bar's thread ended with it"


def test_a_log_gets_nothing_and_no_thread_waits_for_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WORKS], input=b"\n", capture_output=True, check=True, timeout=120, env=environment()
    )
    assert (done.stdout, done.stderr) == (b"a line of its own\n", b"waits: False\n")


@pytest.mark.parametrize(
    ("is_on_terminal", "env", "is_seen"),
    [
        (True, {}, True),
        (True, {"CI": "false", "TERM": "xterm-256color"}, True),
        (False, {}, False),
        (True, {"CI": "true"}, False),
        (True, {"CI": "1"}, False),
        (True, {"TERM": "dumb"}, False),
    ],
)
def test_only_who_sees_it_drawn_over_itself_gets_a_bar(
    is_on_terminal: bool, env: dict[str, str], is_seen: bool
) -> None:
    assert is_watched(is_on_terminal, env) is is_seen
