"""Generated files on disk: read, compared by ``compare``, written so that a kill at any moment leaves whole files.

New texts are written aside, then renamed one by one, then stale files are deleted: each file is old or new, never half, and
the next run finishes what was begun. With the command the only module here that touches files.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from treaty_codegen.compare import FileChange
from treaty_codegen.errors import CodegenError

if sys.platform != "win32":
    import fcntl

STAGING: Final = ".treaty-new"
"""Where new texts wait, within the generated folder: beside it may be another file system, or nothing that is ours."""


class InTheWay(CodegenError):
    """Something that is no plain file or folder stands where a generated one belongs; it is neither followed nor replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A generated folder. ``parts``: what of it is generated, files and folders; all else in it is not looked at."""

    folder: Path
    parts: tuple[str, ...] = (".",)

    def files(self) -> dict[PurePosixPath, bytes]:
        """What lies there by relative path, without links and byte code. Raises ``InTheWay`` if a part is a link."""
        paths = ((path, path.relative_to(self.folder)) for path in self._paths())
        return {PurePosixPath(name.as_posix()): path.read_bytes() for path, name in paths if _is_source(path, name)}

    def write(self, changes: Sequence[FileChange], wanted: Mapping[PurePosixPath, bytes]) -> None:
        """Make it so: added and changed files, then stale ones, then folders that hold nothing; foreign files stay.

        Raises ``InTheWay`` before anything is written, ``OSError`` where the system refuses.
        """
        fresh = [change.path for change in changes if change.kind in ("added", "changed")]
        stale = [change.path for change in changes if change.kind == "stale"]
        homes = {path.parent: path for path in (*stale[::-1], *fresh[::-1])}
        parents = {parent: path for home, path in homes.items() for parent in (home, *home.parents)}
        for parent, path in parents.items():
            self._refuse_no_folder(parent, path)
        for path in (*fresh, *stale):
            self._refuse_no_file(path)
        if fresh:
            self.folder.mkdir(parents=True, exist_ok=True)
        if self.folder.is_dir():
            with _alone(self.folder), _staging(self.folder) as staging:
                self._replace(fresh, wanted, staging)
                for path in stale:
                    (self.folder / path).unlink(missing_ok=True)
                self._prune()

    def _paths(self) -> Iterator[Path]:
        for part in self.parts:
            top = self.folder / part
            if top.is_symlink():
                raise InTheWay(f"{top} is a link; generated files are never written through one. Remove it")
            yield from sorted(top.rglob("*")) if top.is_dir() else [top]

    def _refuse_no_folder(self, parent: PurePosixPath, path: PurePosixPath) -> None:
        folder = self.folder / parent
        if parent.parts and folder.is_symlink():
            raise InTheWay(f"{folder} is a link: {path} would lie outside. Remove the link")
        if folder.exists() and not folder.is_dir():
            raise InTheWay(f"{folder} is not a folder, and {path} belongs there. Move it away")

    def _refuse_no_file(self, path: PurePosixPath) -> None:
        target = f"{self.folder}{os.sep}{path}"
        try:
            mode = os.lstat(target).st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISREG(mode):
            raise InTheWay(f"{target} is not a plain file, and a generated one belongs there. Move it away")

    def _replace(self, fresh: Sequence[PurePosixPath], wanted: Mapping[PurePosixPath, bytes], staging: Path) -> None:
        for number, path in enumerate(fresh):
            (staging / str(number)).write_bytes(wanted[path])
        for parent in {path.parent for path in fresh}:
            (self.folder / parent).mkdir(parents=True, exist_ok=True)
        for number, path in enumerate(fresh):
            # Plain texts: two paths made for each file cost more than the rename.
            os.replace(f"{staging}{os.sep}{number}", f"{self.folder}{os.sep}{path}")  # noqa: PTH105  # as above

    def _prune(self) -> None:
        """Folders without a file go, also those that a killed run has emptied."""
        for part in self.parts:
            for place, _, _ in os.walk(self.folder / part, topdown=False):
                folder = Path(place)
                if folder != self.folder and all(each.name == "__pycache__" for each in folder.iterdir()):
                    shutil.rmtree(folder)


def _is_source(path: Path, name: Path) -> bool:
    """Whether what lies at ``path`` is looked at; ``name`` is relative: the folder itself may be called anything."""
    is_made_by_us = {"__pycache__", STAGING} & set(name.parts) or path.suffix == ".pyc"
    return path.is_file() and not path.is_symlink() and not is_made_by_us


@contextlib.contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """An empty folder; what a killed run left in it is gone."""
    staging = folder / STAGING
    if staging.is_symlink() or (staging.exists() and not (staging.is_dir() and all(map(_is_text, staging.iterdir())))):
        raise InTheWay(f"{staging} is where new texts wait, and holds something else. Move it away")
    if staging.exists():
        shutil.rmtree(staging)
    staging.mkdir()
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _is_text(path: Path) -> bool:
    """Whether this may be a text that waits: they are numbered."""
    return path.name.isdecimal() and path.is_file() and not path.is_symlink()


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Until the end no other run writes here; the system forgets the lock of a process that is killed."""
    if sys.platform == "win32":
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network file systems have no locks: then there is none
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
