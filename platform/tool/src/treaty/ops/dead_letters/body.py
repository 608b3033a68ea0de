"""The value of a dead letter for people: JSON with personal data masked, or hex and the reason why it is not to be read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from treaty.ops.registered import Registered
from treaty_avro import Array, AvroError, Field, Map, Schema, Type, Union, compile_generic, to_json
from treaty_avro import Record as RecordType
from treaty_avro.avrojson.style import is_tagged, takes
from treaty_runtime.wire.personal import is_personal

MASK = "••••"
HEX_BYTES = 256
_FRAME_BYTES = 5
_MAGIC = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A value as it is shown: ``json`` (masked unless revealed) or ``hex`` with the ``fault``; ``schema_id`` where it is framed."""

    schema_id: int | None = None
    subjects: tuple[str, ...] = ()
    json: Any = None
    hex: str | None = None
    fault: str = ""
    masked: tuple[str, ...] = ()


def body_of(value: bytes | None, registered: Registered, *, reveal: bool = False) -> Body:
    """Decodes a framed value by its writer's schema. Personal values become `••••` unless ``reveal``; their paths are told."""
    if value is None:
        return Body(fault="tombstone: there is no value")
    schema_id = framed_id(value)
    if schema_id is None:
        return Body(fault="not framed: it does not begin with 00 and a schema id", hex=hex_of(value))
    schema = registered.by_id(schema_id)
    if schema is None:
        return Body(schema_id=schema_id, fault=f"unknown schema id {schema_id}", hex=hex_of(value))
    subjects = tuple(registered.subjects(schema_id))
    try:
        shown = decoded(value, schema)
    except AvroError as error:
        return Body(schema_id=schema_id, subjects=subjects, fault=str(error), hex=hex_of(value))
    if reveal:
        return Body(schema_id=schema_id, subjects=subjects, json=shown)
    paths: list[str] = []
    hidden = masked(shown, schema.root, "", paths)
    return Body(schema_id=schema_id, subjects=subjects, json=hidden, masked=tuple(paths))


def framed_id(value: bytes) -> int | None:
    """The schema id of a framed value; None if it is not framed."""
    return int.from_bytes(value[1:_FRAME_BYTES], "big") if len(value) >= _FRAME_BYTES and value[0] == _MAGIC else None


def frame(schema_id: int, body: bytes) -> bytes:
    """A value as it is produced."""
    return bytes([_MAGIC]) + schema_id.to_bytes(4, "big") + body


def decoded(value: bytes, schema: Schema, *, reader: Schema | None = None) -> Any:
    """The JSON value of framed bytes that ``schema`` wrote, as ``reader`` (None: the same) reads them. Raises ``AvroError``."""
    target = reader or schema
    _, decode = compile_generic(target, schema if reader is not None else None)
    return json.loads(to_json(decode(value[_FRAME_BYTES:]), target, style="plain"))


def hex_of(value: bytes) -> str:
    """The first bytes, for people."""
    more = f" … {len(value) - HEX_BYTES} bytes more" if len(value) > HEX_BYTES else ""
    return value[:HEX_BYTES].hex(" ") + more


def masked(value: Any, type_: Type, path: str, paths: list[str]) -> Any:
    """A JSON value of the plain style with every personal value replaced; their paths are added to ``paths``."""
    if isinstance(type_, Union):
        return _of_union(value, type_, path, paths)
    if isinstance(type_, Array) and isinstance(value, list):
        return [masked(item, type_.items, f"{path}[{number}]", paths) for number, item in enumerate(value)]
    if isinstance(type_, Map) and isinstance(value, dict):
        return {name: masked(item, type_.values, f"{path}.{name}", paths) for name, item in value.items()}
    if isinstance(type_, RecordType) and isinstance(value, dict):
        return {
            field.name: _of_field(value[field.name], field, path, paths)
            for field in type_.fields
            if field.name in value
        }
    return value


def _of_field(value: Any, field: Field, path: str, paths: list[str]) -> Any:
    here = f"{path}.{field.name}" if path else field.name
    if value is not None and is_personal(field):
        paths.append(here)
        return MASK
    return masked(value, field.type, here, paths)


def _of_union(value: Any, union: Union, path: str, paths: list[str]) -> Any:
    if value is None:
        return None
    if is_tagged(union, "plain"):
        ((tag, inner),) = value.items()
        branch = next((each for each in union.branches if _tag(each) == tag), None)
        return {tag: MASK if branch is None else masked(inner, branch, path, paths)}
    kind = {dict: "object", list: "array", str: "string", bool: "boolean"}.get(type(value), "number")
    branch = next((each for each in union.branches if each.kind != "null" and takes(each, kind)), None)
    return MASK if branch is None else masked(value, branch, path, paths)


def _tag(branch: Type) -> str:
    name = getattr(branch, "name", None)
    return name.full if name is not None else branch.kind
