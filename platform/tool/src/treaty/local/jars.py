"""Which jars a Kafka broker is made of: the lock beside this module names each with its size and SHA-256."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DATA = Path(__file__).resolve().parent / "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Jar:
    """One artifact of the lock."""

    group: str
    artifact: str
    version: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """File name."""
        return f"{self.artifact}-{self.version}.jar"

    @property
    def place(self) -> str:
        """Path below the root of any repository in Maven's layout."""
        return f"{self.group.replace('.', '/')}/{self.artifact}/{self.version}/{self.name}"

    def matches(self, file: Path) -> bool:
        """Whether the file is this jar, byte for byte."""
        if not file.is_file() or file.stat().st_size != self.size:
            return False
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == self.sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Jars:
    """The locked list of one Kafka version."""

    kafka: str
    jars: tuple[Jar, ...]

    @property
    def size(self) -> int:
        """Bytes of all jars together."""
        return sum(jar.size for jar in self.jars)

    def class_path(self, folder: Path) -> str:
        """Explicit and sorted: a class-data archive is valid for one exact class path only."""
        return ":".join(sorted(str(folder / jar.name) for jar in self.jars))


@cache
def locked_jars() -> Jars:
    """The list of ``kafka.lock.json``."""
    lock = json.loads((DATA / "kafka.lock.json").read_text(encoding="utf-8"))
    rows = lock["artifacts"]
    return Jars(
        kafka=lock["kafka"],
        jars=tuple(Jar(group=row["g"], artifact=row["a"], version=row["v"], size=row["size"], sha256=row["sha256"]) for row in rows),
    )  # fmt: skip
