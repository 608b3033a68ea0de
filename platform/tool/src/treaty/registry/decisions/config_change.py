"""The body of a PUT of ``/config``, read into the members that it changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from treaty.registry.decisions.request import metadata_of, require_small, rule_set_of
from treaty.registry.errors import InvalidBody, InvalidCompatibilityLevel
from treaty.registry.rows import Json
from treaty.registry.settings import Limits

LEVELS: Final = frozenset(
    {"NONE", "BACKWARD", "FORWARD", "FULL", "BACKWARD_TRANSITIVE", "FORWARD_TRANSITIVE", "FULL_TRANSITIVE"}
)
_MEMBERS: Final[Mapping[str, type]] = {
    "alias": str, "aliasForDeks": str, "normalize": bool, "validateFields": bool, "validateNewSchemas": bool,
    "validateRules": bool, "compatibilityPolicy": str, "compatibilityGroup": str,
}  # fmt: skip
_EXTRAS: Final[Mapping[str, Callable[[Mapping[str, Json], str], Mapping[str, Json] | None]]] = {
    "defaultMetadata": metadata_of,
    "overrideMetadata": metadata_of,
    "defaultRuleSet": rule_set_of,
    "overrideRuleSet": rule_set_of,
}


def config_change(body: Mapping[str, Json], *, limits: Limits) -> Mapping[str, Json | None]:
    """The members that a PUT changes; None clears one. Unknown members are ignored.

    Raises ``InvalidCompatibilityLevel``, ``InvalidBody``, ``InvalidRuleSet``, ``SchemaTooLarge``.
    """
    change: dict[str, Json | None] = {}
    level = next((body[key] for key in ("compatibility", "compatibilityLevel") if key in body), ...)
    if level is not ...:
        change["compatibility"] = None if level is None else _level(level)
    for key, kind in _MEMBERS.items():
        if key in body:
            if body[key] is not None and not isinstance(body[key], kind):
                raise InvalidBody(f"{key} has to be {'true or false' if kind is bool else 'a string'}")
            change[key] = body[key]
    extras = {key: read(body, key) for key, read in _EXTRAS.items() if key in body}
    require_small(limits, *extras.values())
    return {**change, **extras}


def _level(text: Json) -> str:
    if not isinstance(text, str) or text.upper() not in LEVELS:
        raise InvalidCompatibilityLevel
    return text.upper()
