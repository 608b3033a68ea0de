"""Files that are whole or absent: written aside, then renamed; and one writer at a time."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from treaty.errors import UsageError


def write_folder(target: Path, files: Mapping[str, str]) -> None:
    """Writes a folder that must not exist yet, with all its files; a kill at any moment leaves nothing of that name, or all of it."""
    if target.exists():
        raise UsageError(f"{target} exists already and is never overwritten.")
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    try:
        for name, text in files.items():
            with (aside / name).open("w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        aside.chmod(0o755)
        aside.rename(target)  # fails if somebody else was faster: a folder with files is not replaced
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def replace_whole(target: Path, text: str) -> None:
    """Writes a file in place of what is there; a kill at any moment leaves the old file or the new one."""
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    except OSError as fault:  # told of the file that was asked for: nobody knows the one aside
        raise OSError(fault.errno, fault.strerror, str(target)) from fault
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


def put(target: Path, text: str) -> None:
    """Writes a file that a person named for output: whole or not at all; a link, a pipe or a device is written to as it is."""
    if target.is_symlink() or (target.exists() and not target.is_file()):
        target.write_text(text, encoding="utf-8")
    else:
        replace_whole(target, text)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """While it is open, nobody else is in here with the same folder: others wait. It ends with its process, whatever ends that."""
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}.", next_step="set [project] schemas in treaty.toml")
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
