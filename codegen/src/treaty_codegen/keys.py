"""The record key of an event as a Python expression on ``self``."""

from __future__ import annotations

from typing import Final

from treaty_avro import Enum, Primitive, Record, Type
from treaty_codegen.contract import key_parts
from treaty_codegen.layout import Layout
from treaty_codegen.nearest import did_you_mean
from treaty_codegen.source import Scope

_KEY_KINDS: Final = ("string", "int", "long", "boolean")
_MOST_PARTS: Final = 100


class UnusableKey(ValueError):
    """A declared key that names no field, or one whose text is not certain to be one per value; the message says why."""


def key_expression(record: Record, *, key: str, layout: Layout, scope: Scope) -> str:
    """``str(self.order_id)`` for ``order_id``; ``"shop:" + str(self.order_id)`` for ``shop:{order_id}``."""
    declared = list(key_parts(key))
    if len(declared) > _MOST_PARTS:
        raise UnusableKey(f"key `{key:.80}` has {len(declared)} parts; a key has at most {_MOST_PARTS}")
    parts = [
        _field(record, path=text, layout=layout, scope=scope) if is_path else scope.source.literal(text)
        for is_path, text in declared
    ]
    return " + ".join(parts)


def _field(record: Record, *, path: str, layout: Layout, scope: Scope) -> str:
    expression = "self"
    type_: Type = record
    for name in path.split("."):
        if not isinstance(type_, Record):
            raise UnusableKey(f"key `{path:.80}`: nothing lies below a field of type {type_.kind}")
        field = next((field for field in type_.fields if field.name == name), None)
        if field is None:
            known = [field.name for field in type_.fields]
            raise UnusableKey(
                f"key `{path:.80}`: {type_.name.full} has no field `{name:.80}`{did_you_mean(name, known=known)}"
            )
        expression += f".{layout.attributes(type_)[name]}"
        type_ = field.type
    if isinstance(type_, Enum):
        return f"{expression}.value"
    if not isinstance(type_, Primitive) or type_.kind not in _KEY_KINDS:
        raise UnusableKey(
            f"key `{path:.80}` is of type {type_.kind}; a key is a string, an int, a long, a boolean or an enum, and not optional"
        )
    return f"{scope.builtin('str')}({expression})"
