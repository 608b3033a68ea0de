"""Names of the schema as Python names.

Law: no name from a schema starts with an underscore, every name of ours does; so none can collide with the machinery.
Case is never changed.
"""

from __future__ import annotations

import hashlib
import keyword
import re
from collections.abc import Collection, Iterable
from typing import Final

MEMBER_NAMES: Final = frozenset({"name", "value", "mro"})
"""What an ``Enum`` keeps for itself."""

FIELD_NAMES: Final = frozenset({"mro"})
"""What every class has from ``type``: ``dataclasses`` would take it for the field's default."""

CLASS_NAMES: Final = frozenset({"annotations"})
"""``from __future__ import annotations`` binds this in every generated module."""

ROOT_NAMES: Final = frozenset({"EVENTS", "SCHEMA_SET", "Duration"})
"""What the root package exports itself."""

ROOT_STEMS: Final = frozenset({"lazy", "duration"})
"""Private modules of the root package, without their underscore."""

DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789")}
)
"""File names that Windows keeps for devices, whatever their case or suffix."""

_LONGEST_FILE_NAME: Final = 100

_UNDERSCORES: Final = 8
"""With more of them behind a name nobody reads it, and names that all want the same one would grow without end."""


def public_name(
    name: str, *, reserved: Collection[str] = (), taken: Collection[str] = (), fold: bool = False, of: str | None = None
) -> str:
    """A Python name for a schema's name: kept where it can stay, else without leading underscores and with ``_`` appended.

    ``reserved`` and ``taken`` are avoided. With ``fold`` the name becomes a file's: it is shortened where file systems would
    refuse it, ``taken`` holds case-folded names, and ``reserved`` is compared both ways. Where many siblings want one name,
    8 hex digits of the SHA-256 of ``of`` (default: the name itself) tell them apart.
    """
    bare = name.lstrip("_")
    candidate = bare if bare and not bare[0].isdigit() else f"x{bare}"
    if fold:
        candidate = shortened(candidate)
    for number in range(_UNDERSCORES):
        if _is_free(candidate + "_" * number, reserved, taken, fold):
            return candidate + "_" * number
    candidate += f"_{_digest(name if of is None else of)}"
    while not _is_free(candidate, reserved, taken, fold):
        candidate += "_"
    return candidate


def place(names: Iterable[str], *, reserved: Collection[str] = (), fold: bool = False) -> dict[str, str]:
    """A Python name for each of some sibling names: all that can stay are placed first, the rest in the order given."""
    order = list(names)
    taken: set[str] = set()
    placed: dict[str, str] = {}
    for name in order:
        if not name.startswith("_") and public_name(name, reserved=reserved, taken=taken, fold=fold) == name:
            placed[name] = name
            taken.add(name.casefold() if fold else name)
    for name in order:
        if name not in placed:
            placed[name] = public_name(name, reserved=reserved, taken=taken, fold=fold)
            taken.add(placed[name].casefold() if fold else placed[name])
    return {name: placed[name] for name in order}


def module_stem(path: str) -> str:
    """The stem of a schema file as the rest of a private module's name: without its underscore, letters and digits only.

    Over 100 characters: the first 80, ``_`` and 8 hex digits of its SHA-256.
    """
    stem = path.rpartition("/")[2].removesuffix(".avsc")
    plain = re.sub(r"[^A-Za-z0-9_]", "_", stem)
    return shortened(plain, of=stem).lstrip("_") or "x"


def shortened(name: str, *, of: str | None = None) -> str:
    """A name that file systems take: over 100 characters the first 80, ``_`` and 8 hex digits of the SHA-256 of ``of``."""
    whole = name if of is None else of
    if len(whole) <= _LONGEST_FILE_NAME:
        return name
    return f"{name[:80]}_{_digest(whole)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def shown_path(path: str) -> str:
    """A path for a comment: whatever is not plain becomes ``?``."""
    return re.sub(r"[^A-Za-z0-9_./-]", "?", path)


def _is_free(name: str, reserved: Collection[str], taken: Collection[str], fold: bool) -> bool:
    compared = name.casefold() if fold else name
    return not keyword.iskeyword(name) and name not in reserved and compared not in reserved and compared not in taken
