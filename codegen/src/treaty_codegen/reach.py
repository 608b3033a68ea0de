"""Which named types belong to a type: those that it, or what it holds, is made of."""

from __future__ import annotations

from typing import Final

from treaty_avro import Array, Enum, Fixed, Map, Named, Primitive, Record, Type, Union

WITHOUT_CLASS: Final = frozenset({"decimal", "uuid"})
"""A fixed of these logical types is a number or an id in Python, and makes no class."""


def named_within(root: Type) -> dict[str, Named]:
    """Every named type within reach, the root included, by full name, in order of first use."""
    found: dict[str, Named] = {}
    waiting = [root]
    while waiting:
        type_ = waiting.pop()
        if isinstance(type_, Primitive):  # as most are
            continue
        if isinstance(type_, Record | Enum | Fixed):
            if type_.name.full in found:
                continue
            found[type_.name.full] = type_
        waiting.extend(reversed(parts(type_)))
    return found


def parts(type_: Type) -> tuple[Type, ...]:
    """The types that a type is directly made of, in the order of the schema."""
    match type_:
        case Array():
            return (type_.items,)
        case Map():
            return (type_.values,)
        case Union():
            return type_.branches
        case Record():
            return tuple([field.type for field in type_.fields])
        case Primitive() | Enum() | Fixed():
            return ()


def leaves(type_: Type) -> tuple[Type, ...]:
    """What a field holds in the end: through optionals, unions, lists and maps, but not into records; null is left out."""
    match type_:
        case Primitive() | Record() | Enum() | Fixed():
            return (type_,) if type_.kind != "null" else ()
        case Array():
            return leaves(type_.items)
        case Map():
            return leaves(type_.values)
        case Union():
            return tuple(leaf for branch in type_.branches for leaf in leaves(branch))


def has_class(type_: Named) -> bool:
    """Whether Python sees this type as a class of its own."""
    return not (isinstance(type_, Fixed) and type_.logical is not None and type_.logical.kind in WITHOUT_CLASS)


def is_duration(type_: Type) -> bool:
    """Whether Python sees this type as the shared ``Duration``."""
    return isinstance(type_, Fixed) and type_.logical is not None and type_.logical.kind == "duration"
