"""The files under ``schemas/``: read with care (nothing is followed out of the tree, nothing is executed) and made a catalog."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from treaty.config import Settings
from treaty.errors import TreatyError, UsageError
from treaty_avro import AvroError
from treaty_codegen import Catalog, CodegenError, load_catalog

TOPICS = "topics.toml"
MAX_BYTES = 1_048_576
"""A larger ``.avsc`` is refused by the parser too (``treaty_avro``, limits of a schema text)."""


class BrokenSchemas(TreatyError):
    """The schemas cannot be read."""

    exit_code = 1


def schema_texts(folder: Path) -> dict[str, str]:
    """Texts of all ``.avsc`` files below ``folder`` by relative path with forward slashes, sorted.

    Raises ``UsageError`` naming what cannot be read: a missing folder, a link, a device, a file that is too large or not UTF-8.
    """
    if not folder.is_dir():
        raise UsageError(f"There is no schemas folder at {folder}.", next_step="set [project] schemas in treaty.toml")
    return {path.relative_to(folder).as_posix(): text_of(path) for path in sorted(avsc_files(folder))}


def avsc_files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            yield from avsc_files(path)
        elif path.suffix == ".avsc":
            if not stat.S_ISREG(mode):
                raise UsageError(f"{path} is not a plain file (a link, pipe or device); it was not read.")
            yield path


def text_of(path: Path) -> str:
    size = path.lstat().st_size
    if size > MAX_BYTES:
        raise UsageError(f"{path} has {size} bytes; a schema has at most {MAX_BYTES}.")
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 (byte {error.start}).") from error


def read_tree(folder: Path) -> tuple[dict[str, str], str | None]:
    """All schema texts, and the text of ``topics.toml`` (None if there is none)."""
    topics = folder / TOPICS
    return schema_texts(folder), text_of(topics) if topics.is_file() else None


def load_project(settings: Settings) -> Catalog:
    """The project's catalog as it lies in the working tree. Raises ``BrokenSchemas`` at the first fault, and ``UsageError``."""
    files, topics = read_tree(settings.folder("schemas"))
    try:
        return load_catalog(files, topics=topics)
    except (AvroError, CodegenError) as error:
        raise BrokenSchemas(f"{settings.get('project', 'schemas')}/{error}", next_step="treaty lint") from error
