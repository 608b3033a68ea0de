"""Our own attributes of a field or type, the object under its property ``treaty``: personal data, unit, deprecation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from treaty_avro import Enum, Field, Fixed, Record

Tagged: TypeAlias = Field | Record | Enum | Fixed


@dataclass(frozen=True, slots=True, kw_only=True)
class Deprecation:
    """What is to be used instead, since which release, and until when (a date) it stays; "" for what is not said."""

    since: str = ""
    use: str = ""
    remove_after: str = ""

    def __str__(self) -> str:
        since = f"since {self.since}" if self.since else ""
        until = f"goes after {self.remove_after}" if self.remove_after else ""
        return ", ".join(part for part in (since, f"use {self.use}" if self.use else "", until) if part) or "yes"


def personal_data(tagged: Tagged) -> str | None:
    """The category of personal data that a field holds, or None."""
    return _text(_own(tagged), "pii")


def unit(tagged: Tagged) -> str | None:
    """The unit that a number counts, or None."""
    return _text(_own(tagged), "unit")


def deprecation(tagged: Tagged) -> Deprecation | None:
    """What is said of a field or type that is to go, or None."""
    return _deprecation(_own(tagged).get("deprecated"))


def symbol_deprecation(enum: Enum, *, symbol: str) -> Deprecation | None:
    """What is said of one symbol that is to go, or None."""
    by_symbol = _own(enum).get("deprecated")
    return _deprecation(by_symbol.get(symbol)) if isinstance(by_symbol, Mapping) else None


def _own(tagged: Tagged) -> Mapping[str, object]:
    value = tagged.props.get("treaty")
    return value if isinstance(value, Mapping) else {}


def _deprecation(value: object) -> Deprecation | None:
    if not isinstance(value, Mapping):
        return None
    said = {name: _text(value, name) or "" for name in ("since", "use", "remove_after")}
    return Deprecation(**said)


def _text(own: Mapping[str, object], name: str) -> str | None:
    value = own.get(name)
    return value if isinstance(value, str) and value else None
