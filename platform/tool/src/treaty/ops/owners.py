"""CODEOWNERS of a project, from what `topics.toml` and `[governance]` say."""

from __future__ import annotations

from pathlib import Path

from treaty.config import Settings
from treaty.errors import UsageError
from treaty.ops.files import replace_whole
from treaty.ops.schemas import load_project
from treaty_codegen.owners import codeowners, owned, with_block


def owned_files(settings: Settings) -> list[tuple[str, list[str]]]:
    """Path and owners of each file that somebody must look at."""
    rows = owned(
        load_project(settings),
        root=f"{settings.get('project', 'schemas')}/",
        approvers=settings.get("governance", "approvers"),
        pii_owner=settings.get("governance", "pii_owner"),
    )
    return list(rows)


def block(settings: Settings) -> str:
    """The lines that treaty keeps."""
    return codeowners(owned_files(settings))


def is_fresh(settings: Settings, file: Path, *, write: bool) -> bool:
    """Whether ``file`` holds the block as it should be; with ``write`` it does afterwards, and the rest of it stays."""
    if file.is_symlink():
        raise UsageError(f"{file} is a link; it is not written through.")
    try:
        text = file.read_text(encoding="utf-8") if file.exists() else ""
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not UTF-8 (byte {error.start}).") from error
    wanted = with_block(text, block(settings))
    if wanted != text and write:
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_whole(file, wanted)
    return wanted == text
