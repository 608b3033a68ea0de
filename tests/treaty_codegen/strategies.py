"""Random legal schemas full of hostile names and texts, and values of them as fastavro takes them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any

from hypothesis import strategies as st

from tests.treaty_codegen.hard import HOSTILE_DOCS, HOSTILE_NAMES
from treaty_avro import Array, Enum, Fixed, Map, Primitive, Record, Type, Union

NAMES = st.sampled_from(HOSTILE_NAMES) | st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True)
TEXTS = st.sampled_from(HOSTILE_DOCS) | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)

PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "double": st.floats(allow_nan=False),
    "float": st.floats(allow_nan=False, width=32),
    "string": TEXTS,
}
"""JSON values of types that may stand in a default as they are."""

LOGICAL: dict[str, st.SearchStrategy[Any]] = {
    "uuid": st.uuids(),
    "date": st.dates(date(1, 1, 1), date(9999, 12, 31)),
    "time-millis": st.times().map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)),
    "time-micros": st.times(),
    "timestamp-millis": st.integers(-(10**12), 10**14).map(
        lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    ),
    "timestamp-micros": st.datetimes(timezones=st.just(UTC)),
}


RAW: dict[str, st.SearchStrategy[Any]] = {
    "uuid": st.uuids().map(str),
    "date": st.integers(-719_162, 2_932_896),
    "time-millis": st.integers(0, 86_399_999),
    "time-micros": st.integers(0, 86_399_999_999),
    "timestamp-millis": st.integers(-62_135_596_800_000, 253_402_300_799_999),
    "timestamp-micros": st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999),
}
"""The same as defaults have them: the whole range that Python's types hold."""


class _Writer:
    """Draws one schema; each named type gets a name of its own."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._names: list[str] = []

    def record(self, depth: int) -> Any:
        fields = self._draw(st.lists(NAMES, max_size=4, unique=True))
        return {
            "type": "record",
            "name": self._name(),
            "doc": self._draw(TEXTS),
            "fields": [self._field(name, depth) for name in fields],
            "treaty": {"hostile": self._draw(TEXTS)},
        }

    def _field(self, name: str, depth: int) -> Any:
        type_ = self._type(depth)
        field = {"name": name, "doc": self._draw(TEXTS), "type": type_, "treaty": {"pii": self._draw(TEXTS)}}
        if self._draw(st.booleans()):
            field["default"] = self._default(type_)
        return field

    def _default(self, type_: Any) -> Any:
        """A default as JSON has it."""
        if isinstance(type_, list):
            return None  # unions here begin with null
        if isinstance(type_, str):
            default = self._draw(PRIMITIVES[type_])
            is_endless = isinstance(default, float) and not isfinite(default)
            return str(default).replace("inf", "Infinity") if is_endless else default
        if "logicalType" in type_:
            return self._draw(RAW[type_["logicalType"]])
        match type_["type"]:
            case "enum":
                return self._draw(st.sampled_from(type_["symbols"]))
            case "fixed":
                return self._draw(st.binary(min_size=type_["size"], max_size=type_["size"])).decode("latin-1")
            case "array":
                return [self._default(type_["items"]) for _ in range(self._draw(st.integers(0, 2)))]
            case "map":
                return {
                    key: self._default(type_["values"]) for key in self._draw(st.lists(TEXTS, max_size=2, unique=True))
                }
            case _:
                needed = [each for each in type_["fields"] if "default" not in each or self._draw(st.booleans())]
                return {each["name"]: self._default(each["type"]) for each in needed}

    def _type(self, depth: int) -> Any:
        kinds = ["primitive", "enum", "fixed", "logical"]
        kind = self._draw(st.sampled_from(kinds if depth == 0 else [*kinds, "array", "map", "union", "record"]))
        match kind:
            case "array":
                return {"type": "array", "items": self._type(depth - 1)}
            case "map":
                return {"type": "map", "values": self._type(depth - 1)}
            case "union":
                return ["null", self.record(depth - 1), self.record(depth - 1)]
            case "record":
                return self.record(depth - 1)
            case "enum":
                symbols = self._draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
                return {"type": "enum", "name": self._name(), "doc": self._draw(TEXTS), "symbols": symbols}
            case "fixed":
                return {"type": "fixed", "name": self._name(), "size": self._draw(st.integers(0, 9))}
            case "logical":
                logical = self._draw(st.sampled_from(list(LOGICAL)))
                base = {"uuid": "string", "date": "int", "time-millis": "int"}.get(logical, "long")
                return {"type": base, "logicalType": logical}
            case _:
                return self._draw(st.sampled_from(list(PRIMITIVES)))

    def _name(self) -> str:
        reserved = {"null", "boolean", "int", "long", "float", "double", "bytes", "string", "record", "enum", "fixed"}
        name = self._draw(NAMES.filter(lambda each: each not in {*self._names, *reserved, "array", "map", "union"}))
        self._names.append(name)
        return name


@st.composite
def schemas(draw: st.DrawFn) -> str:
    """The text of a record with up to three levels of types."""
    return json.dumps({**_Writer(draw).record(3), "namespace": "test.random"})


def values(type_: Type) -> st.SearchStrategy[Any]:
    """Values of a type without recursion."""
    match type_:
        case Record():
            return st.fixed_dictionaries({field.name: values(field.type) for field in type_.fields})
        case Array():
            return st.lists(values(type_.items), max_size=3)
        case Map():
            return st.dictionaries(TEXTS, values(type_.values), max_size=3)
        case Union():
            return st.one_of(*(_branch(branch) for branch in type_.branches))
        case Enum():
            return st.sampled_from(type_.symbols)
        case Fixed():
            return st.binary(min_size=type_.size, max_size=type_.size)
        case Primitive():
            return _scalar(type_)


def _branch(type_: Type) -> st.SearchStrategy[Any]:
    if isinstance(type_, Record):
        return values(type_).map(lambda value: (type_.name.full, value))
    return values(type_)


def _scalar(type_: Primitive) -> st.SearchStrategy[Any]:
    logical = type_.logical
    if logical is not None and logical.kind == "decimal":
        limit = 10**logical.precision - 1
        return st.integers(-limit, limit).map(lambda number: Decimal(number).scaleb(-logical.scale))
    if logical is not None:
        return LOGICAL[logical.kind]
    return {**PRIMITIVES, "null": st.none(), "bytes": st.binary()}[type_.kind]
