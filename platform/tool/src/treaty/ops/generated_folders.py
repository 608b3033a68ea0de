"""The generated folders of a project, and what of each belongs to the generator."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

from treaty.config import Settings
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
