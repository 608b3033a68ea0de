"""Schema files in the one layout: what would change, and the files written whole."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from treaty.config import Settings
from treaty.errors import UsageError
from treaty.ops.files import replace_whole
from treaty.ops.schemas import BrokenSchemas, Unread, avsc_files, text_of
from treaty_avro import SchemaError, parse_files
from treaty_codegen.fmt import formatted


@dataclass(frozen=True, slots=True, kw_only=True)
class Unformatted:
    """A file that is not in the layout; ``path`` is relative to the project."""

    file: Path
    path: str
    before: str
    after: str

    def diff(self) -> str:
        """What would change, as a unified diff."""
        old, new = (text.splitlines(keepends=True) for text in (self.before, self.after))
        return "".join(difflib.unified_diff(old, new, fromfile=f"a/{self.path}", tofile=f"b/{self.path}"))

    def write(self) -> None:
        """Puts the file into the layout; a kill leaves the old file or the new one."""
        replace_whole(self.file, self.after)


def unformatted(settings: Settings, *, only: Iterable[Path] = ()) -> tuple[int, list[Unformatted]]:
    """How many files were looked at, and those that are not in the layout.

    ``only``: these files or folders instead of all. Raises ``BrokenSchemas`` for a file that cannot be read or is no schema: nothing
    is written then; ``UsageError`` for a path that is no schema of the project.
    """
    folder = settings.folder("schemas")
    if not folder.is_dir():
        raise UsageError(
            f"There is no schemas folder at {folder}.", next_step="make it, or set [project] schemas in treaty.toml"
        )
    files = sorted({file for path in only for file in below(path, folder)}) if only else sorted(avsc_files(folder))
    rows = []
    for file in files:
        name = file.relative_to(folder).as_posix()
        path = f"{settings.get('project', 'schemas')}/{name}"
        before = text_of(file, name)
        if isinstance(before, Unread):
            raise BrokenSchemas(f"{path}: {before.reason}", next_step="treaty lint")
        after = checked(before, path)
        if after != before:
            rows.append(Unformatted(file=file, path=path, before=before, after=after))
    return len(files), rows


def below(path: Path, folder: Path) -> Iterator[Path]:
    """The schema files that a path means."""
    where = path.absolute()
    if not where.is_relative_to(folder.absolute()):
        raise UsageError(f"{path} lies outside {folder}.")
    if where.is_dir() and not where.is_symlink():
        yield from avsc_files(where)
    elif where.suffix == ".avsc" and (where.is_symlink() or where.exists()):
        yield where
    else:
        raise UsageError(f"{path} is no .avsc file.")


def checked(text: str, path: str) -> str:
    """The text in the layout, if it is JSON with one meaning; names of other files do not matter here."""
    try:
        parse_files({path: text})
    except SchemaError as error:
        if not error.reason.startswith("unknown type"):
            raise BrokenSchemas(str(error), next_step="treaty lint") from error
    return formatted(text)
