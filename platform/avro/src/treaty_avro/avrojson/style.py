"""The two ways to write a value as JSON.

``avro``: the specification's encoding, for programs. ``plain``: for people and web pages: ISO 8601, decimals and UUIDs as
text, bytes as base64, longs that JavaScript would round as text, unions without a tag where JSON itself tells.
Source: Apache Avro 1.12 specification, "JSON Encoding".
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from treaty_avro.schema.model import Type, Union
from treaty_avro.values.meaning import Meaning, meaning_of

Style: TypeAlias = Literal["avro", "plain"]

EXACT_INTEGER: Final = 2**53
"""Beyond it, JavaScript rounds integers."""

_KINDS: Final = {
    "null": {"null"},
    "boolean": {"boolean"},
    "int": {"number"},
    "long": {"number", "string"},
    "float": {"number", "string"},
    "double": {"number", "string"},
    "array": {"array"},
    "map": {"object"},
    "record": {"object"},
}


def is_tagged(union: Union, style: Style) -> bool:
    """Whether branches other than null carry their name: always in ``avro``; in ``plain`` where two look alike."""
    if style == "avro":
        return True
    kinds = [kind for branch in union.branches if branch.kind != "null" for kind in _kinds(branch)]
    return len(kinds) != len(set(kinds))


def takes(branch: Type, kind: str) -> bool:
    """Whether ``plain`` writes values of a branch as this kind of JSON value."""
    return kind in _kinds(branch)


def _kinds(branch: Type) -> set[str]:
    meaning = meaning_of(branch.logical)
    if meaning is Meaning.DURATION:
        return {"object"}
    return {"string"} if meaning is not None else _KINDS.get(branch.kind, {"string"})
