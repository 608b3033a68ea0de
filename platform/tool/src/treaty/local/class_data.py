"""A class-data archive of the broker: the JVM maps its classes instead of parsing them, and starts in a third of the time.

Made once, in the background after the first start, and keyed by everything that it depends on: Java, class path, flags.
Source: JEP 310 and JEP 350 (Java 17: ``-XX:SharedArchiveFile``), JEP 483 and JEP 514 (Java 25: ``-XX:AOTCache``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from treaty.local.java import Java
from treaty.local.machine import Machine

AOT_SINCE = 25


def archive(machine: Machine, java: Java, flags: Sequence[str], class_path: str) -> Path:
    """Where the archive of this combination is kept."""
    program = java.program.resolve()
    key = "\0".join([str(program), str(program.stat().st_mtime_ns), class_path, *flags])
    kind = "aot" if java.version >= AOT_SINCE else "jsa"
    return machine.cache / "class-data" / f"kafka-{java.version}-{hashlib.sha256(key.encode()).hexdigest()[:12]}.{kind}"


def archive_flags(machine: Machine, java: Java, flags: Sequence[str], class_path: str) -> list[str]:
    """Flags that use the archive; none before it was made."""
    file = archive(machine, java, flags, class_path)
    if not file.exists():
        return []
    if java.version >= AOT_SINCE:
        return [f"-XX:AOTCache={file}", "-Xlog:aot*=off"]  # else it warns of each entry that it cannot use
    return [f"-XX:SharedArchiveFile={file}", "-Xshare:auto"]


def training_flag(java: Java, file: Path) -> str:
    """The flag that writes the archive when the JVM ends."""
    return f"-XX:{'AOTCacheOutput' if java.version >= AOT_SINCE else 'ArchiveClassesAtExit'}={file}"
