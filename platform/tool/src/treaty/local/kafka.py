"""A real Apache Kafka: one KRaft node in a JVM on loopback, from the jars of the lock."""

from __future__ import annotations

import base64
import contextlib
import os
import resource
import shutil
import signal
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path

from treaty.local import kafka_wire, properties
from treaty.local.class_data import archive_flags
from treaty.local.errors import LocalFault, StartFailed
from treaty.local.fetch import Progress, fetch, silent
from treaty.local.guard import Guard
from treaty.local.jars import DATA, locked_jars
from treaty.local.java import Java, find_java
from treaty.local.machine import Machine
from treaty.local.ports import LOOPBACK, free_port
from treaty.local.process import Process
from treaty.local.server import Server

HEAP = "256m"
FLAGS = (
    "-Xms64m", f"-Xmx{HEAP}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true", "-Dlog4j2.disableJmx=true",
    f"-Dlog4j2.configurationFile={DATA / 'log4j2.properties'}",
)  # fmt: skip
CLEAN_EXIT = 128 + signal.SIGTERM  # what a JVM that was asked to end by SIGTERM returns


class Kafka(Server):
    """One broker."""

    name, title, start_seconds = "kafka", "Kafka", 120.0

    def __init__(
        self,
        folder: Path,
        *,
        machine: Machine,
        port: int = 0,
        log: Path | None = None,
        guard: Guard | None = None,
        progress: Progress = silent,
        extra_flags: Sequence[str] = (),
    ) -> None:
        """``extra_flags`` of the JVM. Raises ``LocalFault`` for a folder whose path has a comma: Kafka would read it as two folders."""
        if "," in str(folder):
            raise LocalFault(f"Kafka cannot keep data in {folder}: the path has a comma.", next_step="move the project")
        super().__init__(folder, machine=machine, port=port, log=log, guard=guard)
        self._progress, self._extra_flags = progress, extra_flags

    @property
    def bootstrap(self) -> str:
        """Address for clients."""
        return f"{LOOPBACK}:{self.port}"

    def launch(self) -> None:
        """Fetches, formats, starts. Raises ``NoJava``, ``NoJars``, ``NoSpace``, or ``StartFailed``."""
        java = find_java(self._machine)
        class_path = locked_jars().class_path(fetch(self._machine, progress=self._progress))
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = self._write_settings()
        flags = list(self._extra_flags) or archive_flags(self._machine, java, FLAGS, class_path)
        command = [str(java.program), *FLAGS, *flags, "-cp", class_path]
        if not (self.folder / "data" / "meta.properties").exists():
            self._format(java, command, settings)
        raise_file_limit()
        self._process = Process(
            [*command, "kafka.Kafka", str(settings)],
            name="kafka",
            log=self.log,
            env=self._machine.env,
            guard=self._guard,
        )

    def is_ready(self) -> bool:
        """Whether the broker serves clients and consumer groups now. OSError until it listens."""
        return kafka_wire.is_serving(self.port, cluster=self.cluster) and kafka_wire.are_groups_ready(self.port)

    def stop(self, *, seconds: float = 20.0) -> int | None:
        """Ends the broker; 0 for a clean end, which flushes all logs."""
        status = self.process.stop(seconds=seconds)
        return 0 if status == CLEAN_EXIT else status

    @property
    def cluster(self) -> str:
        """Id of the cluster, made when the data folder was formatted."""
        return properties.parse((self.folder / "data" / "meta.properties").read_text())["cluster.id"]

    def _write_settings(self) -> Path:
        template = properties.parse((DATA / "broker.properties").read_text(encoding="utf-8"))
        values = {"port": str(self.port), "controller_port": str(free_port()), "log_dirs": str(self.folder / "data")}
        file = self.folder / "server.properties"
        file.write_text(properties.render({key: value.format_map(values) for key, value in template.items()}))
        return file

    def _format(self, java: Java, command: Sequence[str], settings: Path) -> None:
        """An empty formatted data folder: a copy of one that Kafka's own tool made once, with new ids.

        The tool takes seconds, the copy milliseconds. ``min.insync.replicas`` is baked into it, so it is part of the key.
        """
        template = self._machine.cache / "format" / f"{locked_jars().kafka}-isr1"
        data = self.folder / "data"
        if not template.exists():
            tool = [*command, "kafka.tools.StorageTool", "format", "-t", new_id(), "-c", str(settings)]
            answer = subprocess.run(tool, capture_output=True, text=True, env=dict(self._machine.env), check=False)  # noqa: S603  # ours, no shell
            if answer.returncode:
                said = (answer.stdout + answer.stderr)[-2000:]
                raise StartFailed(f"Kafka could not format {data} with {java.program}.\n{said}")
            keep_copy(data, template)
        else:
            shutil.copytree(template, data, dirs_exist_ok=True)
        file = data / "meta.properties"
        ids = {"cluster.id": new_id(), "node.id": "1", "directory.id": new_id()}
        file.write_text(properties.render(properties.parse(file.read_text()) | ids))


def keep_copy(folder: Path, template: Path) -> None:
    """Copies ``folder`` to ``template`` in one step: another process sees all of it or nothing."""
    template.parent.mkdir(parents=True, exist_ok=True)
    draft = template.with_name(f"{template.name}.{os.getpid()}")
    shutil.copytree(folder, draft)
    with contextlib.suppress(OSError):  # somebody else was first: theirs is as good
        draft.rename(template)
    shutil.rmtree(draft, ignore_errors=True)


def new_id() -> str:
    """A Kafka ``Uuid``: 22 characters of URL-safe base 64; one that begins with a dash looks like an option to its tools."""
    while True:
        made = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not made.startswith("-"):
            return made


def raise_file_limit() -> None:
    """A broker opens several files a partition; a soft limit of 1,024, the usual default, ends it early."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
