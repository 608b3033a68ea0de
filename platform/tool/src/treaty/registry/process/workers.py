"""Several serving processes on one socket: each is started again when it ends, and all end with their parent.

They share nothing but the socket and the database, so any of them can be killed at any moment: its open connections break,
the other processes take the next ones, and what it had acknowledged is in the database.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import FrameType
from typing import Final

from treaty.registry.errors import StartRefused
from treaty.registry.process.serving import SHUTDOWN_SECONDS, answer_until_told, store_of
from treaty.registry.settings import RegistrySettings

AGAIN_SECONDS: Final = 1.0
"""How long a worker that ended waits to be started again: one that cannot start must not use up the machine."""

_LOOK_SECONDS: Final = 0.5
_METRICS_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"


def supervise(settings: RegistrySettings, listening: socket.socket, *, say: Callable[[str], object]) -> int:
    """Keep ``settings.workers`` processes answering on ``listening`` until SIGTERM or SIGINT; answers exit code 0."""
    with tempfile.TemporaryDirectory(prefix="treaty-registry-") as folder:
        # prometheus_client reads the variable when it is imported, so it has to be there before a worker begins.
        os.environ[_METRICS_FOLDER] = folder
        try:
            Workers(settings, listening, Path(folder), say=say).run()
        finally:
            os.environ.pop(_METRICS_FOLDER)
    return 0


class Workers:
    """The processes of one server."""

    def __init__(
        self, settings: RegistrySettings, listening: socket.socket, folder: Path, *, say: Callable[[str], object]
    ) -> None:
        self._settings, self._listening, self._folder, self._say = settings, listening, folder, say
        self._context = multiprocessing.get_context("spawn")
        self._processes: list[SpawnProcess] = []
        self._is_ending = False

    def run(self) -> None:
        """Start them, start again what ends, and end them when told."""
        previous = {number: signal.signal(number, self._end) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            self._processes = [self._started() for _ in range(self._settings.workers)]
            while not self._is_ending:
                wait([process.sentinel for process in self._processes], timeout=_LOOK_SECONDS)
                self._replace_ended()
        finally:
            self._stop()
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _started(self) -> SpawnProcess:
        process = self._context.Process(target=work, args=(self._settings, self._listening, self._folder), daemon=True)
        process.start()
        return process

    def _replace_ended(self) -> None:
        ended = [process for process in self._processes if not process.is_alive()]
        if not ended or self._is_ending:
            return
        for process in ended:
            self._say(f"worker {process.pid} ended with {process.exitcode}, another one takes its place\n")
            self._processes.remove(process)
        time.sleep(AGAIN_SECONDS)
        if not self._is_ending:
            self._processes += [self._started() for _ in ended]

    def _stop(self) -> None:
        for process in self._processes:
            process.terminate()
        until = time.monotonic() + SHUTDOWN_SECONDS + 2
        for process in self._processes:
            process.join(max(0.0, until - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._is_ending = True


def work(settings: RegistrySettings, listening: socket.socket, folder: Path) -> None:
    """What a worker does: answer until told, or until its parent is gone."""
    # Ctrl-C reaches all processes of a terminal; the parent tells the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="registry-parent", daemon=True).start()
    try:
        store = store_of(settings)
    except StartRefused as refused:
        sys.stderr.write(f"{refused}\n")
        sys.exit(refused.exit_code)
    answer_until_told(settings, store, listening, say=sys.stderr.write, metrics_folder=folder)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        with suppress(OSError):
            wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
