"""What a verdict depends on, by content: schemas, settings, code of services, git's past, the tool itself.

More may be taken than a check looks at, never less: a digest that is the same must mean that the answer is.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from treaty.config import Settings
from treaty.errors import EnvironmentFault, UsageError
from treaty.ops import git
from treaty.ops.service_code import code_folder, sources

SECTIONS: Final = ("project", "lint", "breaking", "governance")
"""The sections of ``treaty.toml`` that checks and the generator look at."""

LARGEST_BYTES: Final = 64 * 1_048_576
"""A folder with a longer file is not told by its content: nobody waits for that."""


class Untold(Exception):
    """Something lies there that its content does not tell; what depends on it is judged anew each time."""


def tool() -> str:
    """This tool by its own files, not by its version alone: a checkout changes without a new one. Python is part of it."""
    ops = Path(__file__).parents[1]
    digest = hashlib.sha256(f"{sys.implementation.name} {sys.version}\0".encode())
    for top in (*map(folder_of, ("treaty_avro", "treaty_codegen")), ops):
        digest.update(str(top).encode("utf-8", "surrogateescape") + b"\0")
        add_all(digest, own_files(top))
    add_all(digest, [("config.py", ops.with_name("config.py")), ("errors.py", ops.with_name("errors.py"))])
    return digest.hexdigest()


def folder_of(package: str) -> Path:
    """Where a package lies; it is found, not loaded. Raises ``Untold`` for one that is in no folder."""
    found = importlib.util.find_spec(package)
    for place in (found.submodule_search_locations or ()) if found is not None else ():
        if Path(place).is_dir():
            return Path(place)
    raise Untold


def own_files(top: Path) -> Iterator[tuple[str, Path]]:
    """Every file of an installed package but byte code, which is made of the others."""
    for folder, below, names in os.walk(top):
        below[:] = sorted(name for name in below if name != "__pycache__")
        for name in sorted(names):
            if not name.endswith(".pyc"):
                path = Path(folder, name)
                yield str(path.relative_to(top)), path


def add_all(digest: hashlib._Hash, files: Iterable[tuple[str, Path]]) -> None:
    """Adds files with their names, each framed by the digest of its content."""
    for name, path in files:
        digest.update(os.fsencode(name) + b"\0" + hashlib.sha256(path.read_bytes()).digest())


def tree(top: Path) -> str:
    """A folder by the names and contents of all that is in it.

    Raises ``Untold`` where a link, a pipe or something huge lies in it: what is behind it may change when it does not.
    """
    digest = hashlib.sha256()
    waiting = [(b"", os.fsencode(top))]
    while waiting:
        prefix, folder = waiting.pop()
        with os.scandir(folder) as listed:
            entries = sorted(listed, key=lambda entry: entry.name)
        for entry in entries:
            name = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                digest.update(name + b"/\0")
                waiting.append((name + b"/", entry.path))
            elif entry.is_file(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_size <= LARGEST_BYTES:
                with open(entry.path, "rb") as file:  # noqa: PTH123  # names may be bytes that no text is made of
                    digest.update(name + b"\0" + hashlib.sha256(file.read()).digest())
            else:
                raise Untold
    return digest.hexdigest()


def code(settings: Settings, folders: Iterable[str]) -> str:
    """The code of services as the scanner reads it; a folder that is not here is part of the answer too."""
    digest = hashlib.sha256()
    for each in folders:
        folder = code_folder(settings.root, each)
        digest.update(f"{each}\0{folder is not None}\0".encode("utf-8", "surrogatepass"))
        for name, text in sources(folder, settings.root) if folder is not None else ():
            digest.update(os.fsencode(name) + b"\0" + hashlib.sha256(text.encode()).digest())
    return digest.hexdigest()


def chosen(settings: Settings) -> Mapping[str, Mapping[str, object]]:
    """The settings that matter, as they are in force."""
    return {name: {key: value.value for key, value in settings.values[name].items()} for name in SECTIONS}


def commit(settings: Settings, ref: str) -> str:
    """The schemas at a commit."""
    digest = hashlib.sha256()
    for name, data in git.files_at(settings.root, ref, settings.folder("schemas")).items():
        digest.update(name.encode("utf-8", "surrogateescape") + b"\0" + hashlib.sha256(data).digest())
    return digest.hexdigest()


def merge_base(settings: Settings, base: str) -> tuple[str, ...]:
    """Branch, commit and schemas of the merge base; nothing where there is none, which the checks know how to live with.

    Raises ``Untold`` where git knows the commit and cannot show it.
    """
    try:
        branch, found = git.merge_base(settings.root, base)
    except (UsageError, EnvironmentFault):
        return ()
    return branch, found, commit(settings, found)


def tags(settings: Settings, prefix: str) -> str:
    """Tags that begin with ``prefix`` and what they point to; with what git was told to take in another's place."""
    try:
        words = ("--format=%(objectname) %(refname)", f"refs/tags/{prefix}*", "refs/replace/")
        return git.run_git(settings.root, "for-each-ref", *words).decode(errors="surrogateescape")
    except (UsageError, EnvironmentFault):
        return ""
