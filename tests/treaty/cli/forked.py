"""The command ``treaty`` in a process of its own without the half second of imports that each new interpreter needs.

A server has everything imported that the commands load, and no thread. For each call it forks: the child has its own folder, environment
and files for what it prints, runs ``treaty.cli.main`` and ends with its exit code, as ``python -m treaty`` does. What depends on the
start of an interpreter (``PYTHON*``, the locale, modules that lie in the folder) is tested with ``Scratch.script``, which starts one.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import io
import json
import os
import pkgutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

SECONDS = 180
"""A command that takes longer is killed."""
STARTS_ANEW = ("PYTHON", "LANG", "LC_", "TZ")
"""Variables that an interpreter reads when it starts."""


class Forks:
    """Runs commands one after the other; made once in a test process, ended with it."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.treaty.cli.forked"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, words: list[str], *, cwd: Path, env: Mapping[str, str]) -> tuple[int, bytes, bytes]:
        """Exit code (negative: the signal that ended it), and what was printed on both channels."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            own = f"/proc/{os.getpid()}/fd"
            call = [words, str(cwd), dict(env), f"{own}/{out.fileno()}", f"{own}/{err.fileno()}"]
            self._server.stdin.write(json.dumps(call) + "\n")
            self._server.stdin.flush()
            code = json.loads(self._server.stdout.readline())
            if code is None:
                raise subprocess.TimeoutExpired(words, SECONDS)
            out.seek(0)
            err.seek(0)
            return code, out.read(), err.read()

    def end(self) -> None:
        """The server ends when nobody can ask it any more."""
        with contextlib.suppress(BrokenPipeError):
            self._server.communicate(timeout=60)


def _serve() -> None:
    _import_commands()
    assert threading.active_count() == 1, "a fork beside threads may hang"
    calls = os.fdopen(os.dup(0))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    for line in calls:
        child = os.fork()
        if child == 0:
            calls.close()
            answers.close()
            _be_the_command(*json.loads(line))
        answers.write(json.dumps(_ended(child)) + "\n")
        answers.flush()


def _import_commands() -> None:
    """What any command but those that start servers imports."""
    for name in ("treaty.cli", "treaty.ops", "treaty_codegen", "treaty_avro"):
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


def _ended(child: int) -> int | None:
    end = time.monotonic() + SECONDS
    pause = 0.001
    while time.monotonic() < end:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(pause)
        pause = min(pause * 1.5, 0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _be_the_command(words: list[str], cwd: str, env: dict[str, str], out: str, err: str) -> NoReturn:
    os.dup2(os.open(out, os.O_RDWR | os.O_APPEND), 1)
    os.dup2(os.open(err, os.O_RDWR | os.O_APPEND), 2)
    sys.stdin = os.fdopen(0)
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w", closefd=False)), encoding="utf-8")
    sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), encoding="utf-8", write_through=True)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.argv, sys.path[0] = ["treaty", *words], cwd
    code = 1
    try:
        importlib.import_module("treaty.cli").main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
    except BaseException:  # noqa: BLE001  # what an interpreter does with it
        traceback.print_exc()
    atexit._run_exitfuncs()  # what `sys.exit` would call; the server's own are none of the child's
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    _serve()
