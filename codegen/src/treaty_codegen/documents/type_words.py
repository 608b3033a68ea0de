"""Avro types in words, for people who never read Avro."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from treaty_avro import Array, Enum, Fixed, Logical, Map, Named, Primitive, Record, Type, Union
from treaty_codegen.reach import has_class, is_duration

_PRIMITIVES: Final = {
    "null": "nothing",
    "boolean": "true or false",
    "int": "whole number (32 bits)",
    "long": "whole number (64 bits)",
    "float": "number (32 bits, floating)",
    "double": "number (64 bits, floating)",
    "bytes": "bytes",
    "string": "text",
}
_LOGICAL: Final = {
    "uuid": "UUID",
    "duration": "duration (months, days, milliseconds)",
    "date": "date",
    "time": "time of day",
    "timestamp": "instant (UTC)",
    "local-timestamp": "date and time without a zone",
}
_PRECISIONS: Final = {"millis": "milliseconds", "micros": "microseconds", "nanos": "nanoseconds"}


def type_words(type_: Type, *, named: Callable[[Named], str]) -> str:
    """A type in words; ``named`` says how to write a type that has a name (a link, code)."""
    match type_:
        case Array():
            return f"list of {_grouped(type_.items, named)}"
        case Map():
            return f"map from text to {_grouped(type_.values, named)}"
        case Union():
            return _union(type_, named)
        case Record() | Enum() | Fixed() if has_class(type_) and not is_duration(type_):
            return named(type_)
        case Primitive() | Record() | Enum() | Fixed():
            return _logical(type_.logical) if type_.logical is not None else _PRIMITIVES[type_.kind]


def _union(union: Union, named: Callable[[Named], str]) -> str:
    """Null last, as people say it."""
    branches = sorted(union.branches, key=lambda branch: branch.kind == "null")
    words = list(dict.fromkeys(type_words(branch, named=named) for branch in branches))
    return " or ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else "".join(words) or "no value at all"


def _grouped(type_: Type, named: Callable[[Named], str]) -> str:
    words = type_words(type_, named=named)
    return f"({words})" if isinstance(type_, Union) else words


def _logical(logical: Logical) -> str:
    if logical.kind == "decimal":
        return f"decimal number ({logical.precision} digits, {logical.scale} of them after the point)"
    kind, _, precision = logical.kind.rpartition("-")
    if precision in _PRECISIONS:
        return f"{_LOGICAL[kind]} in {_PRECISIONS[precision]}"
    return _LOGICAL[logical.kind]
