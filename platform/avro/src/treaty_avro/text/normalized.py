"""The text that Confluent's registry makes of a schema with ``normalize=true``.

Laws: two schemas that differ only in the order of properties, in how names are written or in how defaults are spelled
have one normalized text. It is made by writing a tree with full names and reading that again, as Confluent does; the
second reading moves a type without namespace into the one around it, and that is kept.
Source: Confluent Schema Registry 8, ``AvroSchemaUtils.toNormalizedString``; Avro Java 1.12, ``JacksonUtils.toObject``.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final, TypeAlias

from treaty_avro.errors import SchemaError, SchemaLimit
from treaty_avro.schema.model import (
    MISSING,
    Array,
    Enum,
    Field,
    Fixed,
    Json,
    Map,
    Missing,
    Name,
    Named,
    Primitive,
    Record,
    Type,
    Union,
)
from treaty_avro.schema.parse import parse
from treaty_avro.schema.schema import Schema
from treaty_avro.text.canonical import canonical_text, check_depth, top_level
from treaty_avro.text.javajson import ordered, value

_Tree: TypeAlias = dict[str, Json]


def normalized_text(schema: Schema) -> str:
    """Confluent's normalized text; the top-level types of the schema's references stay names.

    Raises ``SchemaLimit`` as ``canonical_text`` does, and ``SchemaError`` where a type without namespace moves out of
    reach of its other uses: Confluent refuses that too.
    """
    try:
        text = value(_tree(schema.root, set(top_level(schema)), 1, schema.path))
    except RecursionError:
        # Defaults of stored schemas were never judged: they may nest as deep as JSON may.
        raise SchemaLimit("a default is nested too deep to be normalized", path=schema.path) from None
    try:
        # "stored": what was accepted once, under whichever rules, is not judged again here.
        again = parse(text, references=schema.references, path=schema.path, rules="stored")
    except SchemaError as error:
        reason = (
            f"normalizing moves a type without namespace into the one around it ({error.reason}); give it a namespace"
        )
        raise SchemaError(reason, path=schema.path) from error
    return canonical_text(again)


def _tree(type_: Type, known: set[str], depth: int, path: str) -> Json:
    if isinstance(type_, Primitive) and not type_.props:
        return type_.kind
    if isinstance(type_, Record | Enum | Fixed) and type_.name.full in known:
        return type_.name.full
    check_depth(depth, path=path)
    match type_:
        case Primitive():
            return {"type": type_.kind, **_props(type_)}
        case Array():
            return {"type": "array", "items": _tree(type_.items, known, depth + 1, path), **_props(type_)}
        case Map():
            return {"type": "map", "values": _tree(type_.values, known, depth + 1, path), **_props(type_)}
        case Union():
            return [_tree(branch, known, depth + 1, path) for branch in type_.branches]
    known.add(type_.name.full)
    tree: _Tree = {"name": type_.name.full, "type": type_.kind}
    match type_:
        case Record():
            tree["fields"] = [
                {"name": field.name, "type": _tree(field.type, known, depth + 1, path), **_about(field)}
                for field in type_.fields
            ]
        case Enum():
            tree |= {"symbols": list(type_.symbols)} | ({} if type_.default is None else {"default": type_.default})
        case Fixed():
            tree["size"] = type_.size
    return tree | _heading(type_) | _props(type_)


def _heading(type_: Named) -> _Tree:
    tree: _Tree = {"doc": type_.doc} if type_.doc else {}
    if type_.aliases:
        tree["aliases"] = ordered(_alias(alias, type_.name) for alias in type_.aliases)
    return tree


def _alias(alias: Name, owner: Name) -> str:
    return f".{alias.simple}" if owner.namespace and not alias.namespace else alias.full


def _about(field: Field) -> _Tree:
    tree: _Tree = {"order": field.order}
    if field.doc is not None:
        tree["doc"] = field.doc
    if field.aliases:
        tree["aliases"] = ordered(field.aliases)
    default = MISSING if isinstance(field.default, Missing) else _default(field.default, field.type)
    if not isinstance(default, Missing):
        tree["default"] = default
    return tree | {key: _sorted(field.props[key]) for key in ordered(field.props)}


def _props(type_: Type) -> _Tree:
    tree: _Tree = {}
    # big-decimal is valid in Java; here it has no meaning of its own, and so is no ``Logical``.
    is_big = type_.kind == "bytes" and type_.props.get("logicalType") == "big-decimal"
    if type_.logical is not None or is_big:
        tree["logicalType"] = type_.props["logicalType"]
    if type_.logical is not None and type_.logical.kind == "decimal":
        tree["precision"] = type_.logical.precision
        tree |= {"scale": type_.logical.scale} if type_.logical.scale else {}
    return tree | {key: _sorted(type_.props[key]) for key in ordered(type_.props)}


def _sorted(json: Json) -> Json:
    """The value with the keys of its objects in order."""
    if isinstance(json, dict):
        result: _Tree = {}
        for key in ordered(json):
            result[key] = _sorted(json[key])
        return result
    return list(map(_sorted, json)) if isinstance(json, list) else json


def _default(json: Json, type_: Type | None) -> Json | Missing:
    """A default spelled as its type asks; ``MISSING`` if it fits none, which Confluent drops."""
    if isinstance(type_, Union) and json is not None:
        for branch in type_.branches:
            if branch.kind != "null" and not isinstance(result := _default(json, branch), Missing):
                return result
        return MISSING
    if isinstance(json, dict):
        return _object(json, type_)
    if isinstance(json, list):
        items = type_.items if isinstance(type_, Array) else None
        result = []
        for item in json:
            result.append(_kept(item, items))
        return result
    if json is None or isinstance(json, bool) or type_ is None:
        return json
    return _text(json, type_.kind) if isinstance(json, str) else _number(json, type_.kind)


def _object(json: Mapping[str, Json], type_: Type | None) -> _Tree:
    types: Mapping[str, Type] = {}
    if isinstance(type_, Record):
        types = {field.name: field.type for field in type_.fields}
    result: _Tree = {}
    for key in ordered(json):
        result[key] = _kept(json[key], type_.values if isinstance(type_, Map) else types.get(key))
    return result


def _kept(json: Json, type_: Type | None) -> Json:
    default = _default(json, type_)
    return json if isinstance(default, Missing) else default


def _text(json: str, kind: str) -> str | Missing:
    if kind in ("string", "enum"):
        return json
    return json.encode("latin-1", "replace").decode("latin-1") if kind in ("bytes", "fixed") else MISSING


def _number(json: float, kind: str) -> Json | Missing:
    if kind in ("int", "long"):
        return json if isinstance(json, int) else MISSING
    if kind not in ("float", "double"):
        return MISSING
    try:
        double = float(json)
    except OverflowError:
        double = float("inf") if json > 0 else float("-inf")
    return _single(double) if kind == "float" else double


_SINGLE: Final = struct.Struct("<f")


def _single(double: float) -> float:
    """The double that has the shortest digits of the nearest single: 0.1 stays 0.1."""
    try:
        bits = _SINGLE.pack(double)
    except OverflowError:
        return float("inf") if double > 0 else float("-inf")
    single = float(_SINGLE.unpack(bits)[0])
    texts = (f"{single:.{digits}g}" for digits in range(1, 10))
    return next((float(text) for text in texts if _SINGLE.pack(float(text)) == bits), single)
