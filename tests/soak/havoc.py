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


def make_havoc(
    pid: int,
    ledger: Ledger,
    *,
    requests: int,
    kills: int,
    restart: Callable[[], None],
    chance: random.Random,
    is_over: Callable[[], bool],
) -> None:
    """Kill a worker at each of ``kills`` points of the traffic, and restart the database near its middle."""
    points = sorted(chance.uniform(0.05, 0.95) for _ in range(kills))
    restart_at = 0.5
    while not is_over() and (points or restart_at < 1):
        done = ledger.counts["requests"] / requests
        if points and done >= points[0]:
            points.pop(0)
            workers = children(pid)
            if workers:
                with suppress(ProcessLookupError):
                    os.kill(chance.choice(workers), signal.SIGKILL)
                ledger.count("killed workers")
        elif done >= restart_at:
            restart_at = 2.0
            restart()
            ledger.count("restarts of the database")
        else:
            time.sleep(PAUSE_SECONDS)
