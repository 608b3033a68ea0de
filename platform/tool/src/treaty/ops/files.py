"""Files that are whole or absent: written aside, then renamed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from treaty.errors import UsageError


def write_new(target: Path, text: str) -> None:
    """Writes a file that must not exist yet; a kill at any moment leaves nothing or all of it."""
    if target.exists():
        raise UsageError(f"{target} exists already and is never overwritten.")
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        os.link(name, target)  # unlike a rename, this fails if somebody else was faster
    finally:
        Path(name).unlink()


def replace_whole(target: Path, text: str) -> None:
    """Writes a file in place of what is there; a kill at any moment leaves the old file or the new one."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
        Path(name).chmod(mode)
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)
