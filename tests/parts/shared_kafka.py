"""One broker for all workers of a test run.

Each worker holds a shared lock while it needs the broker. A keeper, which no worker owns, started it and waits for the
exclusive lock: the kernel gives it when the last worker has ended, however it ended, and then the broker goes too.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from tests.parts.waiting import wait_until
from treaty.local.errors import LocalFault, StartFailed
from treaty.local.kafka import Kafka
from treaty.local.machine import Machine

START_SECONDS = 180.0


@contextmanager
def shared_kafka(folder: Path, *, env: Mapping[str, str]) -> Iterator[str]:
    """The bootstrap address of the broker that is kept in ``folder``; the first caller starts its keeper.

    Raises ``LocalFault`` when the keeper could not start one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "users.lock").open("a") as users:
        with (folder / "start.lock").open("a") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            wait_until(lambda: can_share(users))  # not while the keeper of earlier users is ending
            if not (folder / "kafka.json").exists():
                spawn_keeper(folder, env)
                wait_until((folder / "kafka.json").exists, START_SECONDS)
        facts = json.loads((folder / "kafka.json").read_text())
        if "fault" in facts:
            raise StartFailed(facts["fault"], next_step=facts["next"])
        yield str(facts["bootstrap"])


def can_share(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def spawn_keeper(folder: Path, env: Mapping[str, str]) -> None:
    """Its own session, and nobody's child to wait for: it outlives the worker that happened to need it first."""
    log = os.open(folder / "keeper.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.posix_spawn(
            sys.executable, [sys.executable, "-m", __name__, str(folder)], dict(env), setsid=True,
            file_actions=[(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)],
        )  # fmt: skip
    finally:
        os.close(log)


def keep(folder: Path) -> None:
    """The keeper's life."""
    facts, draft = folder / "kafka.json", folder / "kafka.json.part"
    server = Kafka(folder / "kafka", machine=Machine(env=dict(os.environ)))
    try:
        server.start()
        draft.write_text(json.dumps({"bootstrap": server.bootstrap, "pid": server.process.pid}))
    except LocalFault as fault:
        draft.write_text(json.dumps({"fault": str(fault), "next": fault.next_step}))
    draft.rename(facts)
    with (folder / "users.lock").open("a") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        if "bootstrap" in json.loads(facts.read_text()):
            facts.unlink()
            server.stop()


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
