"""The guard: a small process that ends our children when we are gone, however we went, on any system.

It reads ids from its standard input. When that closes (we ended, or were killed with -9), it asks every remaining process
group to end, and after a while kills it. It runs as a plain script, so it imports the standard library only.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TextIO

GRACE_SECONDS = 10.0


class Guard:
    """Our end of the pipe. Closing it with nothing watched ends the guard at once."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # our own script, no shell
            [sys.executable, "-I", str(Path(__file__).resolve())], stdin=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    @property
    def pid(self) -> int:
        """Process id of the guard itself."""
        return self._process.pid

    def watch(self, pid: int) -> None:
        """From now on the group ``pid`` ends with us."""
        self._say(f"+ {pid} {identity(pid)}")

    def forget(self, pid: int) -> None:
        """The group ``pid`` has ended."""
        self._say(f"- {pid} .")

    def close(self) -> None:
        """Ends the guard, and with it whatever is still watched."""
        assert self._process.stdin is not None  # noqa: S101  # it was started with a pipe
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None  # noqa: S101  # it was started with a pipe
        # A guard that was killed by hand costs the second safety, not the stack.
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()


def identity(pid: int) -> str | None:
    """When process ``pid`` began, as text without spaces; None if there is no such process (a zombie counts as none).

    An id is reused sooner or later; id and start time together are not.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None if Path("/proc/self/stat").exists() else _identity_by_ps(pid)
    return None if fields[0] in "ZX" else fields[19]  # proc(5): fields 3 state and 22 starttime


def _identity_by_ps(pid: int) -> str | None:
    found = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607  # a fixed question to ps, which each system keeps elsewhere
    words = found.stdout.split()
    return "_".join(words[1:]) if words and not words[0].startswith("Z") else None


def end_groups(groups: dict[int, str], *, seconds: float) -> None:
    """SIGTERM to every group whose leader is still the same process; SIGKILL to what remains after ``seconds``."""
    _signal_all(groups, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while any(identity(pid) == began for pid, began in groups.items()) and time.monotonic() < deadline:
        time.sleep(0.05)
    _signal_all(groups, signal.SIGKILL)


def _signal_all(groups: dict[int, str], number: signal.Signals) -> None:
    for pid, began in groups.items():
        if identity(pid) == began:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, number)


def keep(lines: TextIO) -> None:
    """Follows the lines until they end, then ends what is left."""
    groups: dict[int, str] = {}
    for line in lines:
        sign, pid, began = line.split()
        if sign == "+":
            groups[int(pid)] = began
        else:
            groups.pop(int(pid), None)
    end_groups(groups, seconds=GRACE_SECONDS)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    keep(sys.stdin)
