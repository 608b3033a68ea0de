"""What was generated before: digests only, so that nothing out of a cache is ever written into a project."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from treaty.config import Settings
from treaty.ops.cache.drawer import Drawer
from treaty.ops.cache.keys import of_generated
from treaty.ops.cache.outcomes import NO_ENTRY, many, table, text
from treaty.ops.generated_folders import generated_folders
from treaty_codegen.disk import InTheWay

if TYPE_CHECKING:
    from treaty.ops.generate import Generated


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Generated folders in which every file is what the schemas give: how many files, and what was warned of."""

    files: int
    warnings: tuple[str, ...]


def standing(settings: Settings, key: str | None, *, drawer: Drawer | None) -> Standing | None:
    """What stands, if it is known what that must be and is so on disk, byte for byte; None: make it and compare."""
    body = drawer.get(key) if drawer is not None and key is not None else None
    if body is None:
        return None
    try:
        kept = json.loads(body)
        wanted = [dict(table(each)) for each in many(table, kept["folders"])]
        warnings = many(text, kept["warnings"])
        found = [digests(output.files()) for output in generated_folders(settings).values()]
    except (InTheWay, OSError, *NO_ENTRY):
        return None
    return Standing(files=sum(map(len, wanted)), warnings=warnings) if found == wanted else None


def key_of(settings: Settings, *, drawer: Drawer | None) -> str | None:
    """What the generated folders depend on; None where nothing is kept."""
    return of_generated(settings)() if drawer is not None else None


def keep(settings: Settings, key: str | None, made: Sequence[Generated], *, drawer: Drawer | None) -> None:
    """Keeps what was made of the schemas under the key that was theirs before; nothing if they changed since."""
    if drawer is None or key is None or of_generated(settings)() != key:
        return
    warnings = [warning for each in made for warning in each.warnings]
    kept: dict[str, Any] = {"folders": [digests(each.wanted) for each in made], "warnings": warnings}
    drawer.put(key, json.dumps(kept).encode())


def digests(files: Mapping[PurePosixPath, bytes]) -> dict[str, str]:
    """SHA-256 of each file by its path."""
    return {str(path): hashlib.sha256(data).hexdigest() for path, data in files.items()}
