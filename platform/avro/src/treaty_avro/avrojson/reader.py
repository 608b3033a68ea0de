"""From JSON values to Avro's bytes, by the schema alone; the decoder then builds and checks the value.

Law: nothing is guessed. An unknown field, a missing one, a kind that does not fit are refused with their path.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import UUID

from treaty_avro.avrojson.style import Style, is_tagged, takes
from treaty_avro.interpret import encoding
from treaty_avro.interpret.paths import Path
from treaty_avro.plan import construct
from treaty_avro.plan.binding import Plain
from treaty_avro.plan.planner import encoder_plan
from treaty_avro.plan.resolve import resolve
from treaty_avro.schema.model import (
    Array,
    Enum,
    Field,
    Fixed,
    Json,
    Logical,
    Map,
    Missing,
    Primitive,
    Record,
    Type,
    Union,
)
from treaty_avro.schema.schema import Schema
from treaty_avro.values import wire
from treaty_avro.values.meaning import Meaning, meaning_of, writer_of
from treaty_avro.values.shown import shown
from treaty_avro.values.tagged import tag
from treaty_avro.values.wire import LIMITS, long_bytes

_NOT_FINITE: Final = ("NaN", "Infinity", "-Infinity")
_PARTS: Final = ("months", "days", "milliseconds")
_KINDS: Final = {type(None): "null", bool: "boolean", int: "number", float: "number", str: "string", list: "array"}

_FROM_TEXT: Final[dict[Meaning, Callable[[str], Any]]] = {
    Meaning.DECIMAL: Decimal,
    Meaning.UUID: UUID,
    Meaning.DATE: date.fromisoformat,
    Meaning.TIME_MILLIS: time.fromisoformat,
    Meaning.TIME_MICROS: time.fromisoformat,
    Meaning.TIMESTAMP_MILLIS: datetime.fromisoformat,
    Meaning.TIMESTAMP_MICROS: datetime.fromisoformat,
    Meaning.LOCAL_TIMESTAMP_MILLIS: datetime.fromisoformat,
    Meaning.LOCAL_TIMESTAMP_MICROS: datetime.fromisoformat,
}


class Unfit(ValueError):
    """A JSON value does not fit its type."""


class JsonReader:
    """Writes one JSON value as a message."""

    def __init__(self, *, style: Style) -> None:
        """Begin with nothing written."""
        self.out: list[bytes] = []
        self.path = Path()
        self._style = style
        self._depth = 0

    def write(self, type_: Type, json: Json) -> None:
        """Append the bytes of a value; raises ``Unfit``, with ``path`` at the place."""
        match type_:
            case Union():
                self._union(type_, json)
            case Record():
                self._record(type_, _object(json))
            case Array():
                self._array(type_, json)
            case Map():
                self._map(type_, _object(json))
            case Enum():
                if not isinstance(json, str) or json not in type_.symbols:
                    raise Unfit(f"is no symbol of {type_.name.full}")
                self.out.append(long_bytes(type_.symbols.index(json)))
            case Fixed():
                data = self._raw(type_, type_.logical, json, type_.size)
                if len(data) != type_.size:
                    raise Unfit(f"has {len(data)} bytes, the schema {type_.size}")
                self.out.append(data)
            case Primitive():
                self._primitive(type_, json)

    def _union(self, union: Union, json: Json) -> None:
        index, value = self._branch(union, json)
        self.out.append(long_bytes(index))
        self.write(union.branches[index], value)

    def _branch(self, union: Union, json: Json) -> tuple[int, Json]:
        branches = union.branches
        if json is None or not is_tagged(union, self._style):
            kind = _KINDS.get(type(json), "object")
            found = [i for i, branch in enumerate(branches) if takes(branch, kind)]
            if found:
                return found[0], json
        elif isinstance(json, dict) and len(json) == 1:
            ((name, value),) = json.items()
            found = [i for i, branch in enumerate(branches) if tag(branch) == name]
            if found:
                return found[0], value
        wanted = " | ".join(map(tag, branches))
        raise Unfit(f"fits no branch of {wanted}")

    def _record(self, record: Record, json: dict[str, Json]) -> None:
        self._depth += 1
        if self._depth > LIMITS.max_depth:
            raise Unfit(f"more than {LIMITS.max_depth} records are open at once")
        unknown = next((key for key in json if all(key != field.name for field in record.fields)), None)
        if unknown is not None:
            raise Unfit(f"{record.name.full} has no field {shown(unknown)}")
        for field in record.fields:
            with self.path.field(field.name, is_private=False):
                if field.name in json:
                    self.write(field.type, json[field.name])
                elif self._style == "avro" or isinstance(field.default, Missing):
                    raise Unfit("is missing")
                else:
                    self.out.append(_default_bytes(field))
        self._depth -= 1

    def _array(self, array: Array, json: Json) -> None:
        if not isinstance(json, list):
            raise Unfit(f"expected an array, got {_kind(json)}")
        if json:
            self.out.append(long_bytes(len(json)))
        for number, item in enumerate(json):
            with self.path.item(number):
                self.write(array.items, item)
        self.out.append(b"\x00")

    def _map(self, map_: Map, json: dict[str, Json]) -> None:
        if json:
            self.out.append(long_bytes(len(json)))
        for key, item in json.items():
            with self.path.item(key):
                self._sized(_utf8(key))
                self.write(map_.values, item)
        self.out.append(b"\x00")

    def _primitive(self, type_: Primitive, json: Json) -> None:
        match type_.kind:
            case "null":
                if json is not None:
                    raise Unfit(f"expected null, got {_kind(json)}")
            case "boolean":
                if not isinstance(json, bool):
                    raise Unfit(f"expected true or false, got {_kind(json)}")
                self.out.append(b"\x01" if json else b"\x00")
            case "int" | "long":
                raw = self._raw(type_, type_.logical, json, -1)
                self.out.append(_checked(wire.checked_int if type_.kind == "int" else wire.checked_long, raw))
            case "float" | "double":
                self.out.append(
                    _checked(wire.float_bytes if type_.kind == "float" else wire.double_bytes, _float(json))
                )
            case _:
                self._sized(self._raw(type_, type_.logical, json, -1))

    def _raw(self, type_: Type, logical: Logical | None, json: Json, size: int) -> Any:
        meaning = meaning_of(logical)
        if self._style == "avro" or meaning is None or logical is None:
            return self._plain_raw(type_, json)
        write = writer_of(meaning, logical.precision, logical.scale, size=size)
        return _checked(write, _duration(json) if meaning is Meaning.DURATION else _meant(meaning, json))

    def _plain_raw(self, type_: Type, json: Json) -> Any:
        if type_.kind in ("int", "long"):
            return _integer(json, is_text_allowed=self._style == "plain" and type_.kind == "long")
        if not isinstance(json, str):
            raise Unfit(f"expected a text, got {_kind(json)}")
        if type_.kind == "string":
            return _utf8(json)
        try:
            return json.encode("latin-1") if self._style == "avro" else base64.b64decode(json, validate=True)
        except (UnicodeEncodeError, binascii.Error, ValueError):
            raise Unfit("is not bytes as this style writes them") from None

    def _sized(self, data: bytes) -> None:
        self.out += (long_bytes(len(data)), data)


def _default_bytes(field: Field) -> bytes:
    schema = Schema(root=field.type, named={}, text="")
    value = construct.value(field.type, field.default, Plain()).value
    return encoding.encode(encoder_plan(resolve(schema, schema), Plain()), value, limits=LIMITS)


def _meant(meaning: Meaning, json: Json) -> Any:
    if not isinstance(json, str):
        raise Unfit(f"expected a text, got {_kind(json)}")
    try:
        return _FROM_TEXT[meaning](json)
    except (ValueError, InvalidOperation):
        raise Unfit(f"is not a {meaning.name.lower().replace('_', '-')} as text") from None


def _duration(json: Json) -> tuple[Any, ...]:
    parts = _object(json)
    if set(parts) != set(_PARTS):
        raise Unfit("a duration has months, days and milliseconds")
    return tuple(parts[part] for part in _PARTS)


def _integer(json: Json, *, is_text_allowed: bool) -> Json:
    if isinstance(json, str) and is_text_allowed and len(json) <= 20 and json.removeprefix("-").isdecimal():
        return int(json)
    if type(json) is not int:
        raise Unfit(f"expected an integer, got {_kind(json)}")
    return json


def _float(json: Json) -> float:
    if isinstance(json, str) and json in _NOT_FINITE:
        return float(json)
    if type(json) not in (int, float):
        raise Unfit(f"expected a number, got {_kind(json)}")
    return json  # type: ignore[no-any-return]  # JSON is Any


def _checked(write: Callable[[Any], bytes], value: Any) -> Any:
    try:
        return write(value)
    except (ValueError, TypeError, ArithmeticError) as error:
        raise Unfit(str(error)) from None


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Unfit("holds a lone surrogate, which UTF-8 cannot say") from None


def _object(json: Json) -> dict[str, Json]:
    if not isinstance(json, dict):
        raise Unfit(f"expected an object, got {_kind(json)}")
    return json


def _kind(json: Json) -> str:
    return _KINDS.get(type(json), "object")
