"""A child process: its own session, its own log file, ended with its parent, stopped by its id.

Laws. 1. Nothing outlives us: the kernel sends the parent-death signal (Linux), the guard closes the rest (any system).
2. Only what we started is ever ended: by process id, and only while the id still means the same process.
3. Children start from the main thread: the parent-death signal fires when the starting *thread* ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from treaty.local.errors import StartFailed
from treaty.local.guard import identity

if TYPE_CHECKING:
    from treaty.local.guard import Guard

KILLED_SECONDS = 10.0
"""How long the end of what was killed is waited for. Longer takes only what the kernel holds: by a disk that does not answer."""

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None  # loaded before any fork


def die_with_parent() -> None:
    """In the forked child: ask the kernel for SIGTERM when the parent goes, however it goes."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Process:
    """One running child. ``log`` receives both of its outputs, appended."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        name: str,
        log: Path,
        env: Mapping[str, str],
        folder: Path | None = None,
        enter: Callable[[], None] | None = None,
        user: int | None = None,
        guard: Guard | None = None,
    ) -> None:
        """Starts at once. ``enter`` runs in the forked child; ``user`` is a uid (and gid) to become.

        Raises ``StartFailed`` when the program cannot be executed.
        """
        self.name, self.log, self._guard = name, log, guard
        log.parent.mkdir(parents=True, exist_ok=True)
        parent = os.getpid()

        def prepare() -> None:
            if enter is not None:
                enter()  # first: a change of credentials clears the parent-death signal
            die_with_parent()
            if os.getppid() != parent:
                os._exit(1)  # the parent went between fork and prctl

        try:
            with log.open("ab") as output:
                self._popen = subprocess.Popen(  # noqa: S603  # argv is ours, no shell
                    list(argv), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                    env=dict(env), cwd=folder, start_new_session=True, user=user, group=user,
                    extra_groups=None if user is None else [],
                    preexec_fn=prepare,  # noqa: PLW1509  # only prctl and getppid run after the fork
                )  # fmt: skip
        except (OSError, subprocess.SubprocessError) as error:
            raise StartFailed(f"{name} could not be started: {error}") from error
        if guard is not None:
            guard.watch(self.pid)

    @property
    def pid(self) -> int:
        """Process id, also of its group and session."""
        return self._popen.pid

    @property
    def identity(self) -> str:
        """What tells this process from a later one with the same id; empty once it is gone."""
        return identity(self.pid) or ""

    @property
    def returncode(self) -> int | None:
        """Exit status, None while it runs; a negative number is the signal that ended it."""
        return self._popen.poll()

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self.returncode is None

    def tail(self, lines: int = 12) -> str:
        """The last lines of its log."""
        return tail(self.log, lines=lines)

    def kill(self) -> None:
        """SIGKILL to the whole group, also to what its leader left behind, and wait: not for ever, so ask ``is_alive``."""
        if self.is_alive or identity(self.pid) is None:  # else somebody else has got the id since
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(KILLED_SECONDS)

    def ask_to_stop(self, with_signal: signal.Signals = signal.SIGTERM) -> None:
        """Sends the signal to the process, without waiting."""
        if self.is_alive:
            self._popen.send_signal(with_signal)

    def stop(self, *, seconds: float = 15.0, with_signal: signal.Signals = signal.SIGTERM) -> int | None:
        """Ends it: the signal, then after ``seconds`` SIGKILL to its group. Returns the exit status, None if not even that ended it."""
        self.ask_to_stop(with_signal)
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self.kill()  # what a clean end left behind in its group goes too
            if self._guard is not None:
                self._guard.forget(self.pid)
        return self.returncode

    def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Waits for ``ready``; an OSError inside it means "not yet".

        Raises ``StartFailed`` with the last log lines when the process ends first or the deadline passes; it is stopped then.
        """
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(OSError):
                if ready():
                    return
            fault = ""
            if not self.is_alive:
                fault = f"ended with status {self.returncode} while starting"
            elif time.monotonic() > deadline:
                fault = f"was not ready after {seconds:.0f} s"
            if fault:
                self.stop()
                raise StartFailed(f"{self.name} {fault}.\n{self.tail()}", next_step=f"read {self.log}")
            time.sleep(0.02)


def tail(log: Path, *, lines: int) -> str:
    """The last lines of a text file, each indented; empty when there is no file."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(f"  | {line}" for line in text.splitlines()[-lines:])
