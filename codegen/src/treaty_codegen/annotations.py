"""Avro types as Python annotations."""

from __future__ import annotations

from typing import Final

from treaty_avro import Array, Enum, Fixed, Map, Primitive, Record, Type, Union
from treaty_codegen.reach import has_class, is_duration
from treaty_codegen.source import DURATION, Scope

_BUILTINS: Final = {
    "boolean": "bool",
    "int": "int",
    "long": "int",
    "float": "float",
    "double": "float",
    "bytes": "bytes",
    "string": "str",
}

_LIBRARY_TYPES: Final = {
    "decimal": ("_decimal", "Decimal"),
    "uuid": ("_uuid", "UUID"),
    "date": ("_datetime", "date"),
    "time-millis": ("_datetime", "time"),
    "time-micros": ("_datetime", "time"),
    "timestamp-millis": ("_datetime", "datetime"),
    "timestamp-micros": ("_datetime", "datetime"),
    "local-timestamp-millis": ("_datetime", "datetime"),
    "local-timestamp-micros": ("_datetime", "datetime"),
}
"""Other logical types are what their base is."""

_MOST_BARS: Final = 500
"""Each bar nests the expression one level deeper, and Python parses some thousand levels only."""


def annotation(type_: Type, *, scope: Scope) -> str:
    """The annotation of a type, spelt for the class whose scope this is. Source: table in docs, "Types"."""
    match type_:
        case Array():
            return f"{scope.builtin('list')}[{annotation(type_.items, scope=scope)}]"
        case Map():
            values = annotation(type_.values, scope=scope)
            return f"{scope.builtin('dict')}[{scope.builtin('str')}, {values}]"
        case Union():
            return _union(type_, scope)
        case Record() | Enum() | Fixed() if has_class(type_):
            return scope.class_name(DURATION if is_duration(type_) else type_.name.full)
        case Primitive(kind="null"):
            return "None"
        case Primitive() | Record() | Enum() | Fixed():
            return _scalar(type_, scope)


def _scalar(type_: Primitive | Record | Enum | Fixed, scope: Scope) -> str:
    kind = type_.logical.kind if type_.logical is not None else ""
    if kind in _LIBRARY_TYPES:
        library, name = _LIBRARY_TYPES[kind]
        return f"{scope.source.library(library)}.{name}"
    return scope.builtin(_BUILTINS[type_.kind])


def _union(type_: Union, scope: Scope) -> str:
    """``A | B | None``: null last, what Python cannot tell apart once. A union of nothing holds no value."""
    branches = [annotation(branch, scope=scope) for branch in type_.branches]
    if not branches:
        return f"{scope.source.library('_typing')}.Never"
    different = list(dict.fromkeys(sorted(branches, key="None".__eq__)))
    if len(different) > _MOST_BARS:
        return f"{scope.source.library('_typing')}.Union[{', '.join(different)}]"
    return " | ".join(different)
