"""The generated folders of a project, and what of each belongs to the generator."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from treaty.config import Settings
from treaty.errors import UsageError
from treaty_codegen.disk import Output

SDK_PARTS: Final = ("src", "pyproject.toml", "README.md")
"""What of ``sdk/`` belongs to the generator; build output and the like beside it is not looked at."""

ASYNCAPI: Final = PurePosixPath("asyncapi.json")
CATALOG_PARTS: Final = ("index.md", "events", "topics", str(ASYNCAPI))


def generated_folders(settings: Settings) -> Mapping[str, Output]:
    """The SDK's folder, and the catalogue's if ``[project] catalog`` names one, by what ``treaty.toml`` calls the setting."""
    found = {"sdk": Output(folder=settings.folder("sdk"), parts=SDK_PARTS)}
    if settings.get("project", "catalog"):
        found["catalog"] = Output(folder=settings.folder("catalog"), parts=CATALOG_PARTS)
    return found


def refuse_folder_of_project(settings: Settings, folder: Path) -> None:
    """Raises ``UsageError`` for a folder in the schemas, the SDK or the catalogue: what is made for elsewhere must not mix with them."""
    for key in ("schemas", "sdk", "catalog"):
        name = settings.get("project", key)
        taken = settings.folder(key).resolve()
        is_within = taken == folder.resolve() or (
            taken in folder.resolve().parents and taken != settings.root.resolve()
        )
        if name and is_within:
            raise UsageError(f"{folder} is in [project] {key}, {name}.", next_step="name a folder of its own")
