"""The files under ``schemas/``: read with care (nothing is followed out of the tree, nothing is executed) and made a catalog."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast, get_args

from treaty.config import Settings
from treaty.errors import TreatyError, UsageError
from treaty_avro import AvroError
from treaty_codegen import Catalog, CodegenError, load_catalog
from treaty_codegen.publish import References
from treaty_codegen.written_examples import SUFFIX

TOPICS = "topics.toml"
MAX_BYTES = 1_048_576
"""A larger ``.avsc`` is refused by the parser too (``treaty_avro``, limits of a schema text)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A file that was not read, and why; ``path`` is relative to the schemas folder, and printable."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """Texts of all ``.avsc`` files by relative path with forward slashes, sorted; of ``topics.toml`` (None: there is none); of
    ``.examples.json`` files as of schemas.
    """

    schemas: Mapping[str, str]
    topics: str | None
    unread: tuple[Unread, ...] = ()
    examples: Mapping[str, str] = field(default_factory=dict)


class BrokenSchemas(TreatyError):
    """The schemas cannot be read."""

    exit_code = 1


def read_tree(folder: Path) -> Tree:
    """Everything below the schemas folder. Files that are links, pipes, too large or not UTF-8 are named, not read.

    Raises ``UsageError`` for a folder that is missing or has no ``.avsc`` file at all.
    """
    if not folder.is_dir():
        raise UsageError(
            f"There is no schemas folder at {folder}.", next_step="make it, or set [project] schemas in treaty.toml"
        )
    texts: dict[str, str] = {}
    unread: list[Unread] = []
    topics = folder / TOPICS
    found = sorted(files_called(folder, ".avsc", SUFFIX))
    if topics.is_symlink() or topics.exists():
        found.append(TOPICS)
    for name in found:
        read = text_of(folder / name, name)
        if isinstance(read, Unread):
            unread.append(read)
        else:
            texts[name] = read
    text = texts.pop(TOPICS, None)
    examples = {name: texts.pop(name) for name in list(texts) if name.endswith(SUFFIX)}
    if not texts and not unread:
        raise UsageError(f"There is no .avsc file in {folder}.", next_step="write <domain>/<event>.avsc there")
    return Tree(schemas=texts, topics=text, unread=tuple(unread), examples=examples)


def avsc_files(folder: Path) -> Iterator[Path]:
    """Whatever is called ``.avsc``, and what lies in plain folders; links are not followed."""
    return (folder / name for name in files_called(folder, ".avsc"))


def files_called(folder: Path, *suffixes: str) -> Iterator[str]:
    """Whatever has a name with one of these ends, by relative path with forward slashes, and what lies in plain folders, however
    deep; links are not followed.
    """
    waiting = [""]
    while waiting:
        home = waiting.pop()
        with os.scandir(folder / home) as entries:
            for entry in entries:
                if entry.name.endswith(suffixes):
                    yield f"{home}{entry.name}"
                elif entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{home}{entry.name}/")


def text_of(path: Path, name: str) -> str | Unread:
    """The text of one file, or why it was not read."""
    state = path.lstat()
    if not name.isprintable():
        return Unread(path=ascii(name)[1:-1], reason="the file's name has characters that cannot be printed")
    if not stat.S_ISREG(state.st_mode):
        return Unread(path=name, reason="not a plain file (a link, a folder, a pipe or a device); it was not read")
    if state.st_size > MAX_BYTES:
        return Unread(path=name, reason=f"{state.st_size} bytes; a schema has at most {MAX_BYTES}, and it was not read")
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        return Unread(path=name, reason=f"not UTF-8 (byte {error.start})")


def load_project(settings: Settings) -> Catalog:
    """The project's catalog as it lies in the working tree. Raises ``BrokenSchemas`` at the first fault, and ``UsageError``."""
    tree, root = read_tree(settings.folder("schemas")), settings.get("project", "schemas")
    for each in tree.unread:
        raise BrokenSchemas(f"{root}/{each.path}: {each.reason}", next_step="treaty lint")
    try:
        return load_catalog(tree.schemas, topics=tree.topics, examples=tree.examples)
    except (AvroError, CodegenError) as error:
        raise BrokenSchemas(f"{root}/{error}", next_step="treaty lint") from error


def references_of(settings: Settings) -> References:
    """``[project] references``: how shared types are published. Raises ``UsageError`` for a word that says neither."""
    told = settings.get("project", "references")
    for known in get_args(References):
        if told == known:
            return cast("References", known)
    source = settings.values["project"]["references"].source
    raise UsageError(f"{source}: [project] references is `inline` or `registry`, not `{told}`")
