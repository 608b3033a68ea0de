"""Pictures as files: one folder, names that we chose, each file whole or not there."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

OURS = re.compile(r"[0-9a-f]{32}\.(png|jpg|webp)(\.part)?")


class ImageFiles:
    """The files of all goods, and of one goods service alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def write(self, name: str, content: bytes) -> None:
        """Keep a picture under a name that nobody has."""
        await asyncio.to_thread(self._write, name, content)

    async def read(self, name: str) -> bytes | None:
        """The picture; None if it is gone."""
        return await asyncio.to_thread(self._read, name)

    async def remove(self, names: Iterable[str]) -> None:
        """Delete pictures; those that are gone already do not matter."""
        await asyncio.to_thread(self._remove, list(names))

    async def older_than(self, time: datetime) -> list[str]:
        """Names of the pictures and of drafts of pictures that were last written before a time."""
        return await asyncio.to_thread(self._older_than, time.timestamp())

    def _write(self, name: str, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self._folder / f"{name}.part"
        try:
            with draft.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.rename(self._folder / name)
        except OSError:
            draft.unlink(missing_ok=True)
            raise

    def _read(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def _remove(self, names: list[str]) -> None:
        for name in names:
            (self._folder / name).unlink(missing_ok=True)

    def _older_than(self, seconds: float) -> list[str]:
        if not self._folder.is_dir():
            return []  # no picture yet
        with os.scandir(self._folder) as entries:
            return [entry.name for entry in entries if OURS.fullmatch(entry.name) and _written(entry) < seconds]


def _written(entry: os.DirEntry[str]) -> float:
    """When; never for one that went while we looked."""
    try:
        return entry.stat(follow_symlinks=False).st_mtime
    except FileNotFoundError:
        return float("inf")
