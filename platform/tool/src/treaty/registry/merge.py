"""Which config and which mode hold for a name: its own, its context's, the global one, the built-in one.

Source: confluentinc/schema-registry, ``InMemoryCache.config``, ``.mode``, ``Config.mergeConfigs``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from treaty.registry.names import GLOBAL, TOP, Name
from treaty.registry.rows import Json

BUILT_IN_LEVEL: Final = "BACKWARD"
READWRITE, READONLY, IMPORT, OVERRIDE = "READWRITE", "READONLY", "IMPORT", "READONLY_OVERRIDE"

_FALLING_BACK: Final = (
    "normalize", "validateFields", "validateNewSchemas", "validateRules", "compatibilityPolicy", "compatibilityGroup",
)  # fmt: skip


def scope(name: Name) -> tuple[Name, ...]:
    """Where settings for ``name`` are looked for, nearest first."""
    return tuple(dict.fromkeys((name, name.whole_context, GLOBAL)))


def mode_in_scope(mode_of: Callable[[Name], str | None], name: Name) -> str:
    """The mode that holds. ``READONLY_OVERRIDE`` on ``/mode`` beats all others: one switch stops every write."""
    if mode_of(TOP) == OVERRIDE:
        return OVERRIDE
    return next((mode for place in scope(name) if (mode := mode_of(place)) is not None), READWRITE)


def is_read_only(mode: str) -> bool:
    """True if nothing may be written under this mode but modes."""
    return mode in (READONLY, OVERRIDE)


def config_in_scope(config_of: Callable[[Name], Mapping[str, Json] | None], name: Name) -> Mapping[str, Json]:
    """The config that holds, with its ``compatibility``; beside an own config some members fall back to ``/config``."""
    own = config_of(name)
    if own is not None and name != TOP:
        top = config_of(TOP) or {}
        return with_level({**{key: top[key] for key in _FALLING_BACK if key in top}, **own})
    found = own or next((config for place in scope(name) if (config := config_of(place)) is not None), {})
    return with_level(found)


def with_level(config: Mapping[str, Json]) -> Mapping[str, Json]:
    """The config with the built-in compatibility level where it names none."""
    return {"compatibility": BUILT_IN_LEVEL, **config}
