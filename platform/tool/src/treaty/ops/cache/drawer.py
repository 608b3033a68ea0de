"""Sealed entries in a private folder: whole or absent, bounded in size, the least lately used going first.

The seal tells torn and foreign content, not an enemy with this user's rights: against others stands the folder's mode.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MOST_BYTES: Final = 64 * 1_048_576
MOST_BYTES_OF_ONE: Final = 8 * 1_048_576
"""A longer entry is neither written nor read."""

_OURS: Final = re.compile(r"[0-9a-f]{64}|\.[0-9a-f]{64}\.\d+", re.ASCII)
_PLAIN: Final = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe of this name must not keep us waiting


def listed(folder: int) -> list[tuple[int, int, str]]:
    """Time of last use, size and name of each of our files; half-written ones of killed processes too."""
    found = []
    for name in os.listdir(folder):  # of the folder that was looked at, whatever its path is by now
        with contextlib.suppress(FileNotFoundError):
            state = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if _OURS.fullmatch(name) and stat.S_ISREG(state.st_mode):
                found.append((state.st_mtime_ns, state.st_size, name))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """How many entries a drawer holds, and their size."""

    entries: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawer:
    """Entries by key (64 hexadecimal digits). No method raises: a folder that cannot be used holds nothing and keeps nothing.

    ``lister``: reads the folder; whatever it names may be gone a moment later.
    """

    folder: Path
    most_bytes: int = MOST_BYTES
    lister: Callable[[int], list[tuple[int, int, str]]] = listed

    def get(self, key: str) -> bytes | None:
        """What was put under this key, as it was put; None for what is missing or was changed since."""
        with contextlib.suppress(OSError), self._opened() as folder, _file(key, os.O_RDONLY, folder) as file:
            state = os.fstat(file)
            if not stat.S_ISREG(state.st_mode) or state.st_size > MOST_BYTES_OF_ONE:
                return None
            seal, _, body = _read(file).partition(b"\n")
            if seal != _seal(key, body):
                return None
            with contextlib.suppress(OSError):  # a folder that is only to be read keeps its order
                os.utime(file)
            return body
        return None

    def put(self, key: str, body: bytes) -> None:
        """Keeps an entry, whole or not at all, and takes the oldest away where there are too many bytes."""
        content = _seal(key, body) + b"\n" + body
        if len(content) > min(MOST_BYTES_OF_ONE, self.most_bytes):
            return
        with contextlib.suppress(OSError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._opened() as folder:
                _write(folder, key, content)
                self._bound(folder)

    def contents(self) -> Contents:
        """What there is."""
        with contextlib.suppress(OSError), self._opened() as folder:
            sizes = [size for _, size, _ in self.lister(folder)]
            return Contents(entries=len(sizes), size_bytes=sum(sizes))
        return Contents(entries=0, size_bytes=0)

    def clear(self) -> Contents:
        """Takes all entries away, and says what is gone; files that are not ours stay."""
        gone = []
        with contextlib.suppress(OSError), self._opened() as folder:
            for _, size, name in self.lister(folder):
                with contextlib.suppress(FileNotFoundError):  # another process was faster
                    os.unlink(name, dir_fd=folder)
                    gone.append(size)
        return Contents(entries=len(gone), size_bytes=sum(gone))

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """The folder; ``OSError`` for one that others may write to or look into, that is another's, or a link."""
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            state = os.fstat(folder)
            if state.st_uid != os.geteuid() or state.st_mode & 0o077:
                raise PermissionError(f"{self.folder} is not this user's alone.")
            yield folder
        finally:
            os.close(folder)

    def _bound(self, folder: int) -> None:
        """Takes the oldest away until the rest is small enough."""
        oldest_first = sorted(self.lister(folder))
        over = sum(size for _, size, _ in oldest_first) - self.most_bytes
        for _, size, name in oldest_first:
            if over <= 0:
                return
            with contextlib.suppress(FileNotFoundError):  # another process was faster
                os.unlink(name, dir_fd=folder)
            over -= size


def _seal(key: str, body: bytes) -> bytes:
    """A digest that binds a body to its key and to this format."""
    return hashlib.sha256(b"treaty-cache-1\0" + key.encode() + b"\0" + body).hexdigest().encode()


@contextmanager
def _file(name: str, flags: int, folder: int) -> Iterator[int]:
    """A file of the folder, open."""
    file = os.open(name, flags | _PLAIN, 0o600, dir_fd=folder)
    try:
        yield file
    finally:
        os.close(file)


def _read(file: int) -> bytes:
    """All of a file, as far as an entry may go."""
    with os.fdopen(os.dup(file), "rb") as stream:
        return stream.read(MOST_BYTES_OF_ONE + 1)


def _write(folder: int, key: str, content: bytes) -> None:
    """Writes aside, then renames: two processes with one key each write a whole entry, and it is the same one."""
    aside = f".{key}.{os.getpid()}"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(aside, dir_fd=folder)  # of a process with this number that was killed
    try:
        with _file(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, folder) as file, os.fdopen(os.dup(file), "wb") as out:
            out.write(content)
        os.rename(aside, key, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(aside, dir_fd=folder)
        raise
