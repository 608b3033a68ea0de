"""A process that can be killed, frozen and stopped, and started again.

Lives are forked from a server that has imported everything and started no thread, so that a hundred of them cost seconds;
each is a process of its own for the kernel, for Kafka and for the database.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from typing import Any

from treaty.local.process import die_with_parent

_LIVES = multiprocessing.get_context("forkserver")
_LIVES.set_forkserver_preload(
    [
        "tests.reliability.service",
        "tests.reliability.relay",
        "tests.reliability.crossings",
        "treaty.cli.dlq",
        "treaty.cli.outbox",
        "treaty.cli.delay",
        "treaty.cli.groups",
        "treaty.wiring",
        "treaty.ops.group_control",
        "treaty.ops.journal",
        "treaty.ops.dead_letters.index",
        "treaty.ops.dead_letters.replay",
        "treaty.ops.service_database",
        "treaty_runtime.publish.outbox_desk",
        "treaty_runtime.delay.job_desk",
        "sqlalchemy.dialects.postgresql.psycopg",
        "psycopg",
    ]
)


class Member:
    """Runs ``target(life)`` in a process. ``target`` is a function of a module, ``life`` can be pickled."""

    def __init__(self, target: Callable[[Any], None]) -> None:
        self._target = target
        self._process: ForkServerProcess | None = None
        self.life: Any = None

    def start(self, life: Any) -> None:
        """Begins a life; the one before has ended."""
        self.life = life
        self._process = _LIVES.Process(target=_live, args=(self._target, life), daemon=True)
        self._process.start()

    @property
    def is_alive(self) -> bool:
        """Whether it runs, or is frozen."""
        return self._process is not None and self._process.is_alive()

    def kill(self) -> None:
        """SIGKILL: no handler, no flush, no word to anybody. One that has ended stays so."""
        if self._process is not None:
            self._process.kill()
            self._process.join()

    def freeze(self) -> None:
        """SIGSTOP: it holds all its connections and does nothing."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Goes on where it stood, as a zombie that knows nothing of the time between."""
        self._send(signal.SIGCONT)

    def ask_where_it_stands(self) -> None:
        """SIGUSR1: one that keeps a diary writes it down."""
        if self.is_alive:
            self._send(signal.SIGUSR1)

    def ask_to_stop(self) -> None:
        """SIGTERM."""
        self._send(signal.SIGTERM)

    def stopped(self, *, within: float = 60.0) -> int | None:
        """Its exit code once it has ended; None if it has not in that many seconds."""
        assert self._process is not None
        self._process.join(within)
        return self._process.exitcode

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None
        assert self._process.pid is not None
        os.kill(self._process.pid, number)


def _live(target: Callable[[Any], None], life: Any) -> None:
    die_with_parent()
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # until it keeps a diary
    target(life)
