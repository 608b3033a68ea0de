"""Ends the stack of a project from another terminal, or what a killed one left."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from treaty.local.errors import LocalFault
from treaty.local.guard import end_groups
from treaty.local.state import StateFile

STOP_SECONDS = 120.0
"""The services have a minute together, and then the servers end."""


class StillRunning(LocalFault):
    """The stack does not end."""


def end_stack(folder: Path) -> list[str]:
    """Ends what runs for the project whose ``.treaty`` folder this is; the names of what was ended, empty if nothing ran.

    Raises ``StillRunning`` when the supervising command does not end within two minutes.
    """
    file = StateFile(folder)
    state = file.read()
    if state is None:
        return []
    if file.is_supervised() and state.supervisor.is_alive:
        os.kill(state.supervisor.pid, signal.SIGTERM)
        if not file.wait_for_end(seconds=STOP_SECONDS):
            raise StillRunning(
                f"{StillRunning.__doc__} {state.supervisor.name} (pid {state.supervisor.pid}) was asked {STOP_SECONDS:.0f} s ago.",
                next_step=f"kill -9 {state.supervisor.pid}, then treaty down again",
            )
        return [part.name for part in state.parts]
    remains = state.alive()
    end_groups({part.pid: part.began for part in remains}, seconds=15.0)
    file.clear()
    return [part.name for part in remains]
