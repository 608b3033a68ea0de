"""The code of services, as far as it lies in the project: what of it is read. Nothing is executed, no link followed."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

LARGEST_BYTES: Final = 1_048_576
"""A longer source is no source; it is not read."""


def code_folder(root: Path, code: str) -> Path | None:
    """The folder that ``topics.toml`` names for a service's code, if it is here; nothing outside the project is looked at."""
    folder = root / code
    is_here = code and folder.resolve().is_relative_to(root.resolve()) and folder.is_dir()
    return folder if is_here else None


def sources(folder: Path, root: Path) -> Iterator[tuple[str, str]]:
    """Path from the project, and text, of every Python file below a folder; links are not followed, nothing is executed."""
    waiting = [folder]
    while waiting:  # not by recursion: folders may be nested deeper than the stack
        for path in sorted(waiting.pop().iterdir()):
            state = path.lstat()
            if stat.S_ISDIR(state.st_mode):
                waiting.append(path)
            elif path.suffix == ".py" and stat.S_ISREG(state.st_mode) and state.st_size <= LARGEST_BYTES:
                yield path.relative_to(root).as_posix(), path.read_bytes().decode("utf-8", "replace")
