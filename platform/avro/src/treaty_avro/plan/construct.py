"""Python values from the JSON of a schema's defaults.

Source: Apache Avro 1.12 specification, "Complex Types, Records", table of field defaults: bytes and fixed as code points
0–255; a union's default fits its first branch, or (since 1.12) any.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, Final

from treaty_avro.errors import SchemaLimit
from treaty_avro.plan.binding import Binding, build
from treaty_avro.schema.model import Array, Enum, Fixed, Json, Logical, Map, Missing, Primitive, Record, Type, Union
from treaty_avro.values.meaning import Meaning, meaning_of, reader_of
from treaty_avro.values.tagged import Tagged, is_tagged, tag
from treaty_avro.values.wire import INT_MAX, INT_MIN, LONG_MAX, LONG_MIN

MAX_VALUES: Final = 10_000
MAX_DEPTH: Final = 250

_JSON_CLASSES: Final[dict[str, tuple[type, ...]]] = {
    "null": (type(None),),
    "boolean": (bool,),
    "int": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "bytes": (str,),
    "string": (str,),
}
_RANGES: Final = {"int": (INT_MIN, INT_MAX), "long": (LONG_MIN, LONG_MAX)}


class UnusableDefault(ValueError):
    """A default is valid JSON for its type, and yet no value of it."""


@dataclass(frozen=True, slots=True)
class Default:
    """A default's value, whether each datum needs its own copy, and how many values it holds."""

    value: Any
    is_fresh: bool
    count: int


@dataclass(frozen=True, slots=True)
class Factory:
    """Builds a default anew for each datum: lists, dicts and records must not be shared."""

    type: Type
    json: Json
    binding: Binding

    def __call__(self) -> Any:
        """A fresh value."""
        return value(self.type, self.json, self.binding).value


def value(type_: Type, json: Json, binding: Binding) -> Default:
    """The Python value of a default.

    Raises ``UnusableDefault`` with the reason, ``SchemaLimit`` above 10,000 values: records whose defaults hold records
    double at every level.
    """
    builder = _Builder(binding)
    made = builder.make(type_, json, 0)
    return Default(made, builder.is_fresh, builder.count)


class _Builder:
    def __init__(self, binding: Binding) -> None:
        self._binding = binding
        self.count = 0
        self.is_fresh = False

    def make(self, type_: Type, json: Json, depth: int) -> Any:
        self.count += 1
        if self.count > MAX_VALUES or depth > MAX_DEPTH:
            raise SchemaLimit(f"a default holds more than {MAX_VALUES} values, or {MAX_DEPTH} levels")
        match type_:
            case Union():
                return self._union(type_, json, depth)
            case Record() if isinstance(json, dict):
                return self._record(type_, json, depth)
            case Array() if isinstance(json, list):
                self.is_fresh = True
                return [self.make(type_.items, item, depth + 1) for item in json]
            case Map() if isinstance(json, dict):
                self.is_fresh = True
                return {key: self.make(type_.values, item, depth + 1) for key, item in json.items()}
            case Enum() if isinstance(json, str):
                if json not in type_.symbols:
                    raise UnusableDefault(f"'{json[:80]}' is no symbol of {type_.name.full}")
                return self._binding.member(type_, json)
            case Fixed() if isinstance(json, str):
                return self._fixed(type_, json)
            case Primitive() if type(json) in _JSON_CLASSES[type_.kind]:
                return _primitive(type_, json)
        raise UnusableDefault(f"a {type(json).__name__} is not {type_.kind}")

    def _union(self, union: Union, json: Json, depth: int) -> Any:
        for branch in union.branches:
            try:
                made = self.make(branch, json, depth + 1)
            except UnusableDefault:
                continue
            is_told = self._binding.is_generic and is_tagged(union) and branch.kind != "null"
            return Tagged(tag(branch), made) if is_told else made
        raise UnusableDefault("fits no branch of the union")

    def _record(self, record: Record, json: dict[str, Json], depth: int) -> Any:
        self.is_fresh = True
        values = {}
        for field in record.fields:
            given = json.get(field.name, field.default)
            if isinstance(given, Missing):
                raise UnusableDefault(f"{field.name} is missing, and has no default of its own")
            values[self._binding.attribute(record, field.name)] = self.make(field.type, given, depth + 1)
        return build(self._binding.record(record), values)

    def _fixed(self, fixed: Fixed, json: str) -> Any:
        data = _latin(json)
        if len(data) != fixed.size:
            raise UnusableDefault(f"{len(data)} bytes, {fixed.name.full} has {fixed.size}")
        meaning = meaning_of(fixed.logical)
        if meaning is not None and fixed.logical is not None:
            make = self._binding.duration(fixed) if meaning is Meaning.DURATION else tuple
            return _meant(fixed.logical, data, fixed.size, make)
        cls = self._binding.fixed(fixed)
        return data if cls is None else cls(data)


def _primitive(type_: Primitive, json: Json) -> Any:
    raw = json
    if type_.kind in _RANGES:
        low, high = _RANGES[type_.kind]
        if not low <= json <= high:
            raise UnusableDefault(f"a number beyond the range of {type_.kind}")
    elif type_.kind in ("float", "double"):
        raw = _number(type_.kind, json)
    elif type_.kind == "bytes":
        raw = _latin(json)
    if type_.logical is None or meaning_of(type_.logical) is None:
        return raw
    return _meant(type_.logical, raw.encode() if isinstance(raw, str) else raw, -1, tuple)


def _number(kind: str, json: float) -> float:
    try:
        number = float(json)  # struct takes a great int for no number at all
        return number if kind == "double" else struct.unpack("<f", struct.pack("<f", number))[0]
    except OverflowError:
        raise UnusableDefault(f"a number beyond the range of {kind}") from None


def _meant(logical: Logical, raw: Any, size: int, make: Any) -> Any:
    meaning = meaning_of(logical)
    if meaning is None:
        return raw
    try:
        return reader_of(meaning, logical.precision, logical.scale, size=size, make=make)(raw)
    except (ValueError, ArithmeticError) as error:
        raise UnusableDefault(f"as {logical.kind}: {error}") from None


def _latin(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise UnusableDefault("a code point above 255 is no byte") from None
