"""Brings Kafka's jars onto this machine, once: 36 files, 39 MB, each checked against the lock whoever brought it.

Order: our cache; the local Maven repository; Maven itself where it is installed, since it knows its user's mirrors and
passwords; direct HTTPS. ``TREATY_MAVEN_REPO`` names a repository by hand and is then asked before Maven.
"""

from __future__ import annotations

import errno
import fcntl
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from treaty.local import download
from treaty.local.errors import NoJars, NoSpace
from treaty.local.jars import DATA, Jar, Jars, locked_jars
from treaty.local.machine import Machine

Progress = Callable[[int, int], None]
"""Called with (bytes so far, bytes in all)."""


def silent(_done: int, _all: int) -> None:
    """A progress that nobody watches."""


def fetch(machine: Machine, *, progress: Progress = silent) -> Path:
    """The folder with all jars of the lock.

    A warm call only looks at 36 sizes. Two calls at once fetch once. Raises ``NoJars`` or ``NoSpace``.
    """
    jars = locked_jars()
    folder = machine.cache / "kafka" / jars.kafka
    if is_complete(folder, jars):
        return folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / ".lock"):
            if not is_complete(folder, jars):
                Fetch(machine, folder, jars, progress).run()
                (folder / ".ok").touch()  # last: a folder without it is looked at file by file
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(f"No space left for Kafka's jars in {folder} ({jars.size // 1_000_000} MB).") from error
        raise
    return folder


def is_complete(folder: Path, jars: Jars) -> bool:
    """Whether the marker is there and every jar has its size: hashes were checked when it came."""
    if not (folder / ".ok").exists():
        return False
    files = [(folder / jar.name, jar.size) for jar in jars.jars]
    return all(file.exists() and file.stat().st_size == size for file, size in files)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Waits for, holds and releases an exclusive lock of the operating system; a killed holder releases it too."""
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


class Fetch:
    """One fetch into a locked folder; each step takes what is still missing."""

    def __init__(self, machine: Machine, folder: Path, jars: Jars, progress: Progress) -> None:
        self._machine, self._folder, self._jars, self._progress = machine, folder, jars, progress
        self._said: list[str] = []

    def run(self) -> None:
        """Takes the sources in order until nothing is missing; else ``NoJars`` with what each of them said."""
        by_hand = bool(self._machine.env.get("TREATY_MAVEN_REPO"))
        steps = [self._from_maven_folder, self._by_maven, self._by_https]
        if by_hand:
            steps = [self._from_maven_folder, self._by_https, self._by_maven]
        for step in steps:
            missing = [jar for jar in self._jars.jars if not jar.matches(self._folder / jar.name)]
            self._progress(self._jars.size - sum(jar.size for jar in missing), self._jars.size)
            if not missing:
                return
            step(missing)
        missing = [jar for jar in self._jars.jars if not jar.matches(self._folder / jar.name)]
        if missing:
            count = f"{len(missing)} of {len(self._jars.jars)} jars of Kafka {self._jars.kafka}"
            raise NoJars(f"{count} are not to be had. {' '.join(self._said)}")

    def _from_maven_folder(self, missing: list[Jar]) -> None:
        repository = (self._machine.named("TREATY_M2") or self._machine.home / ".m2") / "repository"
        for jar in missing:
            if (repository / jar.place).is_file():
                copy = self._folder / f"{jar.name}.copy"
                shutil.copyfile(repository / jar.place, copy)
                self._accept(copy, jar)

    def _by_maven(self, missing: list[Jar]) -> None:
        maven = self._machine.which("mvn")
        if maven is None:
            self._said.append("Maven is not installed.")
            return
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            goal = ["dependency:copy-dependencies", f"-DoutputDirectory={name}"]
            answer = subprocess.run(  # noqa: S603  # a program that we looked up, fixed arguments
                [str(maven), "-q", "-B", "-f", str(DATA / "pom.xml"), *goal],
                env=dict(self._machine.env), capture_output=True, text=True, check=False,
            )  # fmt: skip
            for jar in missing:
                if (Path(name) / jar.name).exists():
                    self._accept(Path(name) / jar.name, jar)
        if answer.returncode:
            errors = [line for line in answer.stdout.splitlines() if "ERROR" in line]
            self._said.append(f"Maven said: {errors[0][:300] if errors else f'exit {answer.returncode}'}.")

    def _by_https(self, missing: list[Jar]) -> None:
        bases = download.repositories(self._machine)
        have = self._jars.size - sum(jar.size for jar in missing)
        self._said += download.download(
            missing, into=self._folder, bases=bases, progress=lambda done: self._progress(have + done, self._jars.size)
        )

    def _accept(self, file: Path, jar: Jar) -> None:
        if jar.matches(file):
            file.replace(self._folder / jar.name)
        else:
            file.unlink()
            self._said.append(f"{jar.name} is not the jar of the lock.")
