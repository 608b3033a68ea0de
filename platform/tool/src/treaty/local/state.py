"""What runs for this project: ``.treaty/state.json``, written by ``treaty up`` and read by ``treaty down`` and other commands.

A lock of the operating system, held as long as ``treaty up`` lives, tells a living stack from the remains of a killed one.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from treaty.local.errors import AlreadyRunning
from treaty.local.guard import identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One process: its id, and when it began, which tells it from a later one of the same id."""

    name: str
    pid: int
    began: str
    address: str = ""
    log: str = ""

    @property
    def is_alive(self) -> bool:
        """Whether that very process still runs."""
        return identity(self.pid) == self.began


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The command that supervises, and the parts in the order in which they were started."""

    supervisor: Running
    parts: tuple[Running, ...] = ()

    def alive(self) -> list[Running]:
        """The parts that still run."""
        return [part for part in self.parts if part.is_alive]

    def with_parts(self, parts: Sequence[Running]) -> State:
        """The same with other parts."""
        return replace(self, parts=tuple(parts))


def running(row: Mapping[str, Any]) -> Running:
    """A process as the file tells it. Raises ``ValueError`` for ids that mean more than one process.

    A file that came with a foreign tree must not make ``treaty down`` end anything else: 0 is our own group, 1 everybody.
    """
    if type(row["pid"]) is not int or row["pid"] <= 1 or not isinstance(row["began"], str):
        raise ValueError(f"{row['pid']!r} began {row['began']!r} is no process")
    return Running(**row)


class StateFile:
    """The state of one project, in ``folder`` (``.treaty``)."""

    def __init__(self, folder: Path) -> None:
        self._file, self._lock = folder / "state.json", folder / "up.lock"

    def read(self) -> State | None:
        """The last written state; None if there is none or it makes no sense."""
        try:
            content = json.loads(self._file.read_text(encoding="utf-8"))
            return State(supervisor=running(content["supervisor"]), parts=tuple(map(running, content["parts"])))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, state: State) -> None:
        """Replaces the file in one step."""
        draft = self._file.with_suffix(".part")
        draft.write_text(json.dumps(asdict(state), indent=1), encoding="utf-8")
        draft.replace(self._file)

    def clear(self) -> None:
        """Nothing runs any more."""
        self._file.unlink(missing_ok=True)

    @contextmanager
    def supervise(self) -> Iterator[State]:
        """Holds the lock; removes what a killed run left, and at the end the file.

        Raises ``AlreadyRunning`` when another command supervises, or when parts of a killed one still run.
        """
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        with self._lock.open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                state = self.read()
                who = f" ({state.supervisor.name}, pid {state.supervisor.pid})" if state else ""
                raise AlreadyRunning(f"{AlreadyRunning.__doc__}{who}") from None
            self._refuse_living_leftovers()
            pid = os.getpid()
            state = State(supervisor=Running(name="treaty up", pid=pid, began=identity(pid) or ""))
            self.write(state)
            try:
                yield state
            finally:
                self.clear()

    def is_supervised(self) -> bool:
        """Whether a command holds the lock now."""
        if not self._lock.exists():
            return False
        with self._lock.open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def wait_for_end(self, *, seconds: float) -> bool:
        """Waits until nobody supervises; False after ``seconds``."""
        deadline = time.monotonic() + seconds
        while self.is_supervised():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def _refuse_living_leftovers(self) -> None:
        state = self.read()
        if state and (alive := state.alive()):
            names = ", ".join(f"{part.name} (pid {part.pid})" for part in alive)
            raise AlreadyRunning(f"Parts of an earlier run, which was killed, are still running: {names}.")
        self.clear()
