"""What goes wrong meanwhile: serving processes are killed, and the database is stopped and started once."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from tests.soak.ledger import Ledger
from tests.treaty.registry.running import children

PAUSE_SECONDS = 0.2
RESTART_AT = 0.5


def make_havoc(
    pid: int,
    ledger: Ledger,
    *,
    requests_a_kill: int,
    restart: Callable[[], None],
    chance: random.Random,
    progress: Callable[[], float],
    is_over: Callable[[], bool],
) -> None:
    """Kill a worker once in each ``requests_a_kill`` requests, and restart the database when half of the way is done."""
    kill_at, is_restarted = chance.uniform(0.05, 0.95), False
    while not is_over():
        if ledger.counts["requests"] / requests_a_kill >= kill_at:
            kill_at = int(kill_at) + 1 + chance.uniform(0.05, 0.95)
            workers = children(pid)
            if workers:
                with suppress(ProcessLookupError):
                    os.kill(chance.choice(workers), signal.SIGKILL)
                ledger.count("killed workers")
        elif not is_restarted and progress() >= RESTART_AT:
            is_restarted = True
            restart()
            ledger.count("restarts of the database")
        else:
            time.sleep(PAUSE_SECONDS)
