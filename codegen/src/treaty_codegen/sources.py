"""Schema files from the arguments of the command: read with care, by path relative to the folder that holds them all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from treaty_codegen.errors import CatalogError, CodegenError

TOPICS: Final = "topics.toml"
MAX_BYTES: Final = 1_048_576
"""A longer schema is refused by the parser too."""


class UnusableArguments(CodegenError):
    """The arguments cannot be used as they are; the message names the next step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Texts by path relative to ``root``, with forward slashes; ``topics`` is the text of ``topics.toml``, None without one."""

    root: Path
    files: Mapping[str, str]
    topics: str | None

    def shown(self, said: object) -> str:
        """What is said of one of the files (an error with its ``path``), with the path that it has from here."""
        path = getattr(said, "path", "")
        if not path or not str(said).startswith(path):
            return str(said)
        return f"{from_here(self.root / path)}{str(said).removeprefix(path)}"


def read_sources(paths: Sequence[Path]) -> Sources:
    """Some files, or one folder with its ``topics.toml``. Within a folder links and pipes are refused, not followed.

    Raises ``UnusableArguments``, ``CatalogError`` for a file that is no text or too large, ``OSError``.
    """
    if len(paths) == 1 and paths[0].is_dir():
        return _folder(paths[0])
    for path in paths:
        if path.is_dir():
            raise UnusableArguments(f"{path} is a folder; name one folder alone, or files alone")
    try:
        root = Path(os.path.commonpath([path.absolute().parent for path in paths]))
    except ValueError as error:
        raise UnusableArguments(f"{error}; copy the files into one folder") from error
    return Sources(root=root, files=_texts(root, [path.absolute() for path in paths]), topics=None)


def _folder(root: Path) -> Sources:
    paths = sorted(_schemas(root))
    if not paths:
        raise UnusableArguments(f"there is no .avsc file in {root}; name another folder, or files")
    topics = root / TOPICS
    has_topics = os.path.lexists(topics)
    for path in (*paths, topics) if has_topics else paths:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise CatalogError("not a plain file; it was not read", path=from_here(path))
    return Sources(root=root, files=_texts(root, paths), topics=_text(topics) if has_topics else None)


def _schemas(folder: Path) -> Iterator[Path]:
    """Whatever is called ``.avsc``, and what lies in plain folders."""
    waiting = [folder]
    while waiting:
        for path in waiting.pop().iterdir():
            if path.suffix == ".avsc":
                yield path
            elif stat.S_ISDIR(path.lstat().st_mode):
                waiting.append(path)


def _texts(root: Path, paths: Sequence[Path]) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): _text(path) for path in paths}


def _text(path: Path) -> str:
    state = path.stat()
    if not stat.S_ISREG(state.st_mode):
        raise CatalogError("not a plain file; it was not read", path=from_here(path))
    if state.st_size > MAX_BYTES:
        reason = f"{state.st_size} bytes; a schema has at most {MAX_BYTES}, and it was not read"
        raise CatalogError(reason, path=from_here(path))
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise CatalogError(f"not UTF-8 (byte {error.start}); save it as UTF-8", path=from_here(path)) from None


def from_here(path: Path) -> str:
    """As short as it can be for whoever stands in the current folder."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
