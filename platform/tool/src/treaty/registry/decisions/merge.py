"""Which config and which mode hold for a name: its own, its context's, the global one, the built-in one; and what a
config adds to the metadata and rule set of a schema that is registered.

Source: confluentinc/schema-registry, ``InMemoryCache.config``, ``.mode``, ``Config.mergeConfigs``,
``Metadata.mergeMetadata``, ``RuleSet.mergeRuleSets``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from treaty.registry.decisions.request import RULE_LISTS
from treaty.registry.names import GLOBAL, TOP, Name
from treaty.registry.rows import Json

BUILT_IN_LEVEL: Final = "BACKWARD"
ADDING: Final = ("defaultMetadata", "overrideMetadata", "defaultRuleSet", "overrideRuleSet")
"""Members of a config that add to what is registered."""
READWRITE, READONLY, IMPORT, OVERRIDE = "READWRITE", "READONLY", "IMPORT", "READONLY_OVERRIDE"

_FALLING_BACK: Final = (
    "normalize", "validateFields", "validateNewSchemas", "validateRules", "compatibilityPolicy", "compatibilityGroup",
)  # fmt: skip


def scope(name: Name) -> tuple[Name, ...]:
    """Where settings for ``name`` are looked for, nearest first."""
    return tuple(dict.fromkeys((name, name.whole_context, GLOBAL)))


def mode_in_scope(mode_of: Callable[[Name], str | None], name: Name) -> str:
    """The mode that holds. ``READONLY_OVERRIDE`` on ``/mode`` beats all others: one switch stops every write."""
    # The name's own first: a store that is asked for it reads its whole scope.
    found = next((mode for place in scope(name) if (mode := mode_of(place)) is not None), READWRITE)
    return OVERRIDE if mode_of(TOP) == OVERRIDE else found


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


Extra: TypeAlias = Mapping[str, Json] | None
"""Metadata or a rule set. None (absent) is not empty."""


def adds(config: Mapping[str, Json]) -> bool:
    """True if a schema may be stored with more than it was sent with."""
    return any(config.get(member) is not None for member in ADDING)


def merged_metadata(under: Extra, over: Extra) -> Extra:
    """Both together; of tags and properties with the same key, ``over``'s."""
    if under is None or over is None:
        return over if under is None else under
    merged: dict[str, Json] = {}
    for key in ("tags", "properties"):
        if key in under or key in over:
            merged[key] = {**under.get(key, {}), **over.get(key, {})}
    if "sensitive" in under or "sensitive" in over:
        merged["sensitive"] = sorted({*under.get("sensitive", ()), *over.get("sensitive", ())})
    return merged


def merged_rule_set(under: Extra, over: Extra) -> Extra:
    """Both together; of rules with the same name in the same list, ``over``'s."""
    if under is None or over is None:
        return over if under is None else under
    merged: dict[str, Json] = {}
    for key in RULE_LISTS:
        if key in under or key in over:
            named = {rule["name"] for rule in over.get(key, ())}
            merged[key] = [*(rule for rule in under.get(key, ()) if rule["name"] not in named), *over.get(key, ())]
    if (enable_at := over.get("enableAt", under.get("enableAt"))) is not None:
        merged["enableAt"] = enable_at
    return merged


def between(config: Mapping[str, Json], metadata: Extra, rule_set: Extra) -> tuple[Extra, Extra]:
    """Metadata and rule set laid over a config's defaults and under its overrides."""
    return (
        merged_metadata(merged_metadata(config.get("defaultMetadata"), metadata), config.get("overrideMetadata")),
        merged_rule_set(merged_rule_set(config.get("defaultRuleSet"), rule_set), config.get("overrideRuleSet")),
    )
