"""Shared types as subjects of their own, named by their full names: which there are, in which order, how strictly kept. Pure.

A schema that refers has two texts. The *whole* one stands for itself, with every type at its first use: by it schemas are compared
and judged, so that it makes no difference in which form a registry has one. The *sent* one names shared types, beside the
versions that it means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from treaty_codegen import Catalog

_DIRECTIONS: Final = {
    "NONE": frozenset[str](),
    "BACKWARD": frozenset({"BACKWARD"}),
    "FORWARD": frozenset({"FORWARD"}),
    "FULL": frozenset({"BACKWARD", "FORWARD"}),
}
_TRANSITIVE: Final = "_TRANSITIVE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A type that a text only names, and the version of a subject that says what it is."""

    name: str
    subject: str
    version: int

    def body(self) -> dict[str, Any]:
        """As registries take it."""
        return asdict(self)


def direct(catalog: Catalog, name: str) -> tuple[str, ...]:
    """Full names of the shared types that a type's file names itself, sorted."""
    return tuple(sorted(schema.name for schema in catalog.by_name[name].schema.references))


def depths(catalog: Catalog, events: Iterable[str]) -> dict[str, int]:
    """Every type in reach of the events, and how many references one must follow from it at most: who refers stands higher."""
    found: dict[str, int] = {}
    waiting = [*events]
    while waiting:
        name = waiting[-1]
        below = direct(catalog, name)
        missing = [each for each in below if each not in found]
        if missing:
            waiting += missing  # files never need one another in a circle: the catalog refuses that
        else:
            found[name] = max((found[each] + 1 for each in below), default=0)
            waiting.pop()
    return found


def levels_of(catalog: Catalog, events: Mapping[str, str]) -> dict[str, str]:
    """How strictly each shared type is kept: a change of it is one of every event (``events``: full name to level) that holds it."""
    found: dict[str, list[str]] = {}
    for event, level in events.items():
        for name in depths(catalog, [event]):
            if name != event:
                found.setdefault(name, []).append(level)
    return {name: strictest(levels) for name, levels in found.items()}


def strictest(levels: Iterable[str]) -> str:
    """The weakest level that promises what each of several does: BACKWARD and FORWARD_TRANSITIVE make FULL_TRANSITIVE."""
    levels = [*levels]
    directions = frozenset[str]().union(*(_DIRECTIONS[level.removesuffix(_TRANSITIVE)] for level in levels))
    name = next(name for name, meant in _DIRECTIONS.items() if meant == directions)
    is_transitive = any(level.endswith(_TRANSITIVE) for level in levels)
    return f"{name}{_TRANSITIVE}" if is_transitive and directions else name


def references_in(row: Mapping[str, Any]) -> tuple[Reference, ...]:
    """The references of a version as registries list them. Raises ``KeyError``, ``TypeError`` or ``ValueError`` for another shape."""
    return tuple(
        Reference(name=str(each["name"]), subject=str(each["subject"]), version=int(each["version"]))
        for each in row.get("references") or ()
    )
