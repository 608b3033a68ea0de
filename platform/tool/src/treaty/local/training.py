"""Makes the class-data archive of the broker while the first stack already serves: a second broker loads its classes and ends.

``python -m treaty.local.training`` does the work, with the lowest priority; the next start finds the archive.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from treaty.local.class_data import archive, training_flag
from treaty.local.errors import LocalFault
from treaty.local.fetch import fetch, locked
from treaty.local.guard import Guard
from treaty.local.jars import locked_jars
from treaty.local.java import find_java
from treaty.local.kafka import FLAGS, Kafka
from treaty.local.layout import Layout
from treaty.local.machine import Machine
from treaty.local.process import Process


def target(machine: Machine) -> Path:
    """The archive that a broker on this machine would use."""
    return archive(machine, find_java(machine), FLAGS, locked_jars().class_path(fetch(machine)))


def train(machine: Machine) -> Path:
    """Makes the archive unless it is there; two at once make one."""
    java, file = find_java(machine), target(machine)
    file.parent.mkdir(parents=True, exist_ok=True)
    with locked(file.with_suffix(".lock")):
        if file.exists():
            return file
        draft = file.with_suffix(".part")
        folder = Path(tempfile.mkdtemp(prefix="treaty-training-"))
        try:
            broker = Kafka(folder, machine=machine, extra_flags=[training_flag(java, draft)]).start()
            if broker.stop(seconds=180) == 0 and draft.exists():  # the JVM writes the archive while it ends
                draft.replace(file)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            draft.unlink(missing_ok=True)
    return file


@contextmanager
def training(layout: Layout, *, machine: Machine, guard: Guard) -> Iterator[None]:
    """Within, the archive is being made in the background if there is none yet."""
    if target(machine).exists():
        yield
        return
    argv = [sys.executable, "-m", "treaty.local.training"]
    process = Process(argv, name="training", log=layout.log("training"), env=machine.env, guard=guard)
    try:
        yield
    finally:
        process.stop(seconds=5)


def main() -> int:
    """The background process."""
    os.nice(19)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the folder of the draft goes too
    try:
        sys.stdout.write(f"{train(Machine(env=dict(os.environ)))}\n")
    except LocalFault as fault:
        sys.stdout.write(f"no archive: {fault}\n")
        return fault.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
