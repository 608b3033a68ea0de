"""Applies plans and makes releases in children that kill themselves, with a real SIGKILL, at their n-th call or n-th write.

One process with everything loaded forks a child for each line that it reads, so that a death costs milliseconds. Run as a program:
it reads ``["apply", config, plan, url, call, is_after]`` or ``["release", folder, write]``, and answers ``killed`` or ``done``.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.cases.markdown import ROOT
from treaty.cli.release import release as release_command
from treaty.config import Settings
from treaty.ops.applied import record
from treaty.ops.http import RegistryHttp
from treaty.ops.plan import Plan
from treaty.ops.registry_apply import apply_registry
from treaty.ops.release import prepare


class Dying(httpx.BaseTransport):
    """Ends the process at the n-th call: before it is sent, or (``is_after``) when its answer has come."""

    def __init__(self, call: int, *, is_after: bool) -> None:
        self._call, self._is_after, self._real = call, is_after, httpx.HTTPTransport()
        self._numbers = itertools.count(1)  # its next() is one step for all threads

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        is_last = next(self._numbers) == self._call
        if is_last and not self._is_after:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = self._real.handle_request(request)
        if is_last:
            answer.read()
            os.kill(os.getpid(), signal.SIGKILL)
        return answer


def apply(config: str, plan: str, url: str, call: int, is_after: bool) -> None:
    """The plan applied and its ids written down, by a process that dies on the way."""
    settings = Settings.load(Path(config), {}, start=Path(config).parent)
    made = Plan.from_json(Path(plan).read_text(encoding="utf-8"))
    with RegistryHttp(url, transport=Dying(call, is_after=is_after)) as http:
        done = apply_registry(made, http, done=lambda *_: None)
    record(settings, made, done.contents)


def release(folder: str, write: int) -> None:
    """``treaty release --tag`` in a folder, by a process that dies at its n-th write; 0: that lives."""
    left, root = write, os.path.realpath(folder)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if is_write(event, arguments, root):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    os.chdir(folder)
    release_command.main(["--tag"], standalone_mode=False)


def is_write(event: str, arguments: tuple[object, ...], root: str) -> bool:
    """Whether an audit event is about to change something below ``root``, or to start git there."""
    if event == "subprocess.Popen":
        return True
    if event not in {"open", "os.rename", "os.mkdir", "os.remove", "os.chmod"} or not str(arguments[0]).startswith(
        root
    ):
        return False
    flags = arguments[2] if event == "open" else os.O_CREAT
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


assert prepare is not None, "loaded before the first child is made"
WORK: dict[str, Callable[..., None]] = {"apply": apply, "release": release}


def serve() -> None:
    """A child for each line."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                what, *arguments = json.loads(line)
                os.dup2(2, 1)  # what commands print is no answer to the test
                WORK[what](*arguments)
            except BaseException as error:  # noqa: BLE001  # told to the test, which fails
                print(f"failed: {error!r}", file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print("killed" if os.WIFSIGNALED(status) else "done" if status == 0 else "broken", flush=True)


class Killer:
    """The forking process, as a test speaks to it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def apply(self, config: Path, plan: Path, url: str, *, call: int, is_after: bool) -> bool:
        """Whether the child was killed; False: it made fewer calls and is done."""
        return self._run("apply", str(config), str(plan), url, call, is_after)

    def release(self, folder: Path, *, write: int) -> bool:
        """Whether the child was killed; False: it wrote less often and is done."""
        return self._run("release", str(folder), write)

    def _run(self, *words: object) -> bool:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline().strip()
        assert said in {"killed", "done"}, said
        return said == "killed"


@contextmanager
def killer() -> Iterator[Killer]:
    """Starts the forking process, and ends it."""
    words = [sys.executable, "-m", "tests.treaty.ops.killed"]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Killer(process)


if __name__ == "__main__":
    serve()
