"""The SDK on disk: compared with what the schemas give, and written so that a kill at any moment leaves whole files."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from treaty.config import Settings
from treaty.errors import UsageError
from treaty.ops.schemas import load_project
from treaty_codegen import FileChange, SdkSettings, emit_sdk

OURS = ("src", "pyproject.toml", "README.md")
"""What of ``sdk/`` belongs to the generator; build output and the like beside it is not looked at."""


def wanted_files(settings: Settings) -> dict[PurePosixPath, bytes]:
    """Every file of the SDK as the schemas give it, relative to ``[project] sdk``."""
    package = settings.get("project", "package")
    sdk = SdkSettings(
        package=package,
        distribution=package.replace("_", "-"),
        namespace=settings.get("project", "namespace"),
        version=sdk_version(settings.folder("schemas") / "releases"),
    )
    return emit_sdk(load_project(settings), sdk)


def sdk_version(releases: Path) -> str:
    """The newest release's version with ``.dev0`` behind it; ``0.1.0.dev0`` before the first."""
    found = [
        tuple(int(part) for part in folder.name.split("."))
        for folder in releases.glob("*.*.*")
        if re.fullmatch(r"\d+\.\d+\.\d+", folder.name, re.ASCII) and (folder / "set.json").is_file()
    ]
    return ".".join(map(str, max(found))) + ".dev0" if found else "0.1.0.dev0"


def existing_files(folder: Path) -> dict[PurePosixPath, bytes]:
    """The generator's part of ``sdk/`` as it lies there, without byte code."""
    return {PurePosixPath(path.relative_to(folder).as_posix()): path.read_bytes() for path in plain_files(folder)}


def plain_files(folder: Path) -> Iterator[Path]:
    for name in OURS:
        top = folder / name
        if top.is_symlink():
            raise UsageError(f"{top} is a link; generated files are never written through one.", next_step="remove it")
        yield from (path for path in (sorted(top.rglob("*")) if top.is_dir() else [top]) if is_source(path))


def is_source(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts and path.suffix != ".pyc"


def write(folder: Path, rows: list[FileChange], wanted: Mapping[PurePosixPath, bytes]) -> None:
    """Writes added and changed files, then deletes stale ones and the folders they leave empty; foreign files stay.

    Everything is first written beside ``folder``, then renamed file by file: each is old or new, never half.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".sdk-", dir=folder.parent))
    try:
        fresh = [row for row in rows if row.kind in {"added", "changed"}]
        for number, row in enumerate(fresh):
            (staging / str(number)).write_bytes(wanted[row.path])
        for number, row in enumerate(fresh):
            target = inside(folder, row.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            (staging / str(number)).replace(target)
        for row in rows:
            if row.kind == "stale":
                remove(folder, inside(folder, row.path))
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def inside(folder: Path, path: PurePosixPath) -> Path:
    """The place of a generated file; refuses to leave ``folder`` or to go through a link."""
    target = folder / path
    if not target.parent.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"{target} would lie outside {folder}.", next_step="remove the link in its path")
    return target


def remove(folder: Path, path: Path) -> None:
    path.unlink()
    parent = path.parent
    while parent != folder and not any(child.name != "__pycache__" for child in parent.iterdir()):
        shutil.rmtree(parent)
        parent = parent.parent
