"""Hypothesis strategies: schemas of every kind, and values for them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from treaty_avro import Schema, Tagged, parse
from treaty_avro.schema.model import Array, Enum, Fixed, Map, Record, Type, Union
from treaty_avro.values.tagged import is_tagged, tag

_PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
_LOGICAL: tuple[dict[str, Any], ...] = (
    {"type": "string", "logicalType": "uuid"},
    {"type": "int", "logicalType": "date"},
    {"type": "int", "logicalType": "time-millis"},
    {"type": "long", "logicalType": "time-micros"},
    {"type": "long", "logicalType": "timestamp-millis"},
    {"type": "long", "logicalType": "timestamp-micros"},
    {"type": "long", "logicalType": "local-timestamp-millis"},
    {"type": "long", "logicalType": "local-timestamp-micros"},
    {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 3},
)


class _Names:
    """Full names, each used once in a schema."""

    def __init__(self) -> None:
        self._count = 0

    def next(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self._count}"


@st.composite
def schemas(draw: st.DrawFn, *, has_unions: bool = True) -> Schema:
    """A schema whose root is a record; ``has_unions``: larger ones than an optional record."""
    names = _Names()
    document = draw(_record(names, 0, has_unions=has_unions))
    return parse(json.dumps(document))


@st.composite
def _record(draw: st.DrawFn, names: _Names, depth: int, *, has_unions: bool) -> dict[str, Any]:
    name = names.next("R")
    count = draw(st.integers(0 if depth else 1, 4))
    fields = [{"name": f"f{i}", "type": draw(_type(names, depth + 1, has_unions=has_unions))} for i in range(count)]
    if draw(st.booleans()):
        fields.append({"name": "again", "type": ["null", name]})
    return {"type": "record", "name": name, "namespace": "n.s", "fields": fields}


@st.composite
def _type(draw: st.DrawFn, names: _Names, depth: int, *, has_unions: bool, is_branch: bool = False) -> Any:
    kinds = ["primitive", "primitive"]
    kinds += [] if is_branch else ["logical"]
    kinds += ["enum", "fixed"]
    if depth < 4:
        kinds += ["array", "map", "record"]
        kinds += [] if is_branch or not has_unions else ["union"]
    kind = draw(st.sampled_from(kinds))
    if kind == "primitive":
        return draw(st.sampled_from(_PRIMITIVES))
    if kind == "logical":
        return draw(st.sampled_from(_LOGICAL))
    if kind == "enum":
        symbols = [f"S{i}" for i in range(draw(st.sampled_from([1, 3, 70])))]
        return {"type": "enum", "name": names.next("E"), "symbols": symbols}
    if kind == "fixed":
        return {"type": "fixed", "name": names.next("F"), "size": draw(st.integers(0, 5))}
    if kind == "array":
        return {"type": "array", "items": draw(_type(names, depth + 1, has_unions=has_unions))}
    if kind == "map":
        return {"type": "map", "values": draw(_type(names, depth + 1, has_unions=has_unions))}
    if kind == "record":
        return draw(_record(names, depth, has_unions=has_unions))
    branches: list[Any] = []
    for _ in range(draw(st.integers(1, 4))):
        branch = draw(_type(names, depth + 1, has_unions=has_unions, is_branch=True))
        is_known = any(_kind(branch) == _kind(other) for other in branches)
        if not is_known or _kind(branch) in ("record", "enum", "fixed"):
            branches.append(branch)
    return branches


def _kind(document: Any) -> str:
    return str(document["type"] if isinstance(document, dict) else document)


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_NAIVE = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))  # noqa: DTZ001  # local timestamps
_AWARE = _NAIVE.map(lambda value: value.replace(tzinfo=UTC))
_DECIMALS = st.integers(-(10**9) + 1, 10**9 - 1).map(lambda n: Decimal(n).scaleb(-3))


def _millis(value: Any) -> Any:
    return value.replace(microsecond=value.microsecond // 1000 * 1000)


_BY_KIND: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(width=32, allow_nan=False),
    "double": st.floats(allow_nan=False),
    "bytes": st.binary(max_size=12),
    "string": _TEXT,
    "uuid": st.uuids(),
    "date": st.dates(),
    "time-millis": st.times().map(_millis),
    "time-micros": st.times(),
    "timestamp-millis": _AWARE.map(_millis),
    "timestamp-micros": _AWARE,
    "local-timestamp-millis": _NAIVE.map(_millis),
    "local-timestamp-micros": _NAIVE,
    "decimal": _DECIMALS,
}


def values(type_: Type, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values without classes."""
    match type_:
        case Record():
            return st.fixed_dictionaries({field.name: _later(field.type, depth + 1) for field in type_.fields})
        case Array():
            return st.lists(values(type_.items, depth + 1), max_size=0 if depth > 5 else 3)
        case Map():
            return st.dictionaries(_TEXT, values(type_.values, depth + 1), max_size=0 if depth > 5 else 3)
        case Enum():
            return st.sampled_from(type_.symbols)
        case Fixed():
            return st.binary(min_size=type_.size, max_size=type_.size)
        case Union():
            return _branch(type_, depth)
    return _BY_KIND[type_.logical.kind if type_.logical else type_.kind]


def _branch(union: Union, depth: int) -> st.SearchStrategy[Any]:
    branches = union.branches
    if depth > 5:
        branches = tuple(b for b in branches if b.kind not in ("record", "array", "map")) or branches[:1]
    told = is_tagged(union)
    return st.one_of([_told(b, depth) if told and b.kind != "null" else values(b, depth + 1) for b in branches])


def _later(type_: Type, depth: int) -> st.SearchStrategy[Any]:
    return st.deferred(lambda: values(type_, depth))


def _told(branch: Type, depth: int) -> st.SearchStrategy[Any]:
    return values(branch, depth + 1).map(lambda value: Tagged(tag(branch), value))


def untagged(value: Any) -> Any:
    """The value without the names of branches, as fastavro reads it."""
    match value:
        case Tagged():
            return untagged(value.value)
        case dict():
            return {key: untagged(item) for key, item in value.items()}
        case list():
            return [untagged(item) for item in value]
    return value
