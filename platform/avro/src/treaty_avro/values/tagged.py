"""A union's value without classes: which branch it is, and the value."""

from __future__ import annotations

from typing import NamedTuple

from treaty_avro.schema.model import Enum, Fixed, Record, Type, Union


class Tagged(NamedTuple):
    """The value of a union with two or more branches beside null. ``name``: full name of the branch, or its kind."""

    name: str
    value: object


def tag(branch: Type) -> str:
    """A branch's name in ``Tagged`` and in Avro's JSON: its full name, or its kind where it has none."""
    return branch.name.full if isinstance(branch, Record | Enum | Fixed) else branch.kind


def is_tagged(union: Union) -> bool:
    """Whether values of this union read as ``Tagged``: null and one other need no telling apart."""
    return sum(branch.kind != "null" for branch in union.branches) > 1
