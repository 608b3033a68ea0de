"""Example values: for tests, for documents, and for golden files, which is why a seed's value never changes.

Seed 0 is the smallest value, 1 has every optional set, 2 to 63 are the edge cases in turn, and from 64 on values are
plausible by the names of their fields.
"""

from __future__ import annotations

import enum
import math
import struct
from typing import Any, Final, TypeVar, overload

from treaty_avro.errors import ClassMismatch, SchemaError, SchemaLimit
from treaty_avro.examples import plausible
from treaty_avro.examples.heights import ENDLESS, Heights
from treaty_avro.plan.binding import Binding, Plain, Typed, build, schema_of
from treaty_avro.schema.model import Array, Enum, Fixed, Logical, Map, Primitive, Record, Type, Union
from treaty_avro.schema.schema import Schema
from treaty_avro.values.meaning import Meaning, meaning_of, reader_of
from treaty_avro.values.tagged import Tagged, is_tagged, tag
from treaty_avro.values.wire import INT_MAX, INT_MIN, LONG_MAX, LONG_MIN

T = TypeVar("T")

MAX_DEPTH: Final = 3
"""So often a record is open within itself; then values end as soon as they can."""
ENOUGH: Final = 1_000
"""Parts of a value after which optional ones are left out: records that hold records double at every level."""
TOO_MANY: Final = 100_000
FIRST_PLAUSIBLE: Final = 64

_DAY: Final = 86_400
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896
_FIRST_SECOND, _LAST_SECOND = _FIRST_DAY * _DAY, (_LAST_DAY + 1) * _DAY - 1
_SPRING_2026: Final = 1_775_000_000

_RANGES: Final = {
    Meaning.DATE: (_FIRST_DAY, _LAST_DAY, 20_500, 300),
    Meaning.TIME_MILLIS: (0, _DAY * 1_000 - 1, 30_000_000, 40_000_000),
    Meaning.TIME_MICROS: (0, _DAY * 1_000_000 - 1, 30_000_000_000, 40_000_000_000),
    **dict.fromkeys(
        (Meaning.TIMESTAMP_MILLIS, Meaning.LOCAL_TIMESTAMP_MILLIS),
        (_FIRST_SECOND * 1_000, _LAST_SECOND * 1_000 + 999, _SPRING_2026 * 1_000, 10**10),
    ),
    **dict.fromkeys(
        (Meaning.TIMESTAMP_MICROS, Meaning.LOCAL_TIMESTAMP_MICROS),
        (_FIRST_SECOND * 1_000_000, _LAST_SECOND * 1_000_000 + 999_999, _SPRING_2026 * 1_000_000, 10**13),
    ),
}
"""Least and greatest raw number of a meaning; the least usual one, and how many are usual."""

_NON_ASCII: Final = "grüße 你好 🎉"


class Case(enum.Enum):
    """What a seed is about."""

    SMALLEST = "smallest"
    PLAUSIBLE = "plausible"
    ZERO = "zero"
    LEAST = "least"
    GREATEST = "greatest"
    NEGATIVE_ZERO = "negative zero"
    INFINITE = "infinite"
    NEGATIVE_INFINITE = "negative infinite"
    NOT_A_NUMBER = "not a number"
    EMPTY_TEXT = "empty text"
    NON_ASCII_TEXT = "non-ASCII text"
    NO_ITEMS = "no items"
    ONE_ITEM = "one item"
    THREE_ITEMS = "three items"
    NULLS = "nulls"


_EDGES: Final = tuple(Case)[2:]
_FLOATS: Final = {
    Case.SMALLEST: 0.0,
    Case.ZERO: 0.0,
    Case.NEGATIVE_ZERO: -0.0,
    Case.INFINITE: math.inf,
    Case.NEGATIVE_INFINITE: -math.inf,
    Case.NOT_A_NUMBER: math.nan,
}
_COUNTS: Final = {Case.SMALLEST: 0, Case.NO_ITEMS: 0, Case.ONE_ITEM: 1, Case.THREE_ITEMS: 3}
_EMPTY: Final = (Case.SMALLEST, Case.ZERO, Case.EMPTY_TEXT)


@overload
def example(event: type[T], *, seed: int = 0, **overrides: Any) -> T: ...
@overload
def example(event: Schema, *, seed: int = 0, **overrides: Any) -> Any: ...
def example(event: type[T] | Schema, *, seed: int = 0, **overrides: Any) -> Any:
    """An event (or, for a schema, a value without classes) that encodes; the same for the same seed, for ever.

    ``overrides`` are taken as they are. Raises ``SchemaError`` for a type without a finite value, ``ClassMismatch`` for
    an override that is no attribute.
    """
    schema = event if isinstance(event, Schema) else schema_of(event)
    heights = Heights(schema.root)
    if heights.of(schema.root) >= ENDLESS:
        raise SchemaError(f"{schema.name} has no finite value: it always holds another of itself", path=schema.path)
    maker = _Maker(Plain() if isinstance(event, Schema) else Typed(event), heights, seed)
    return maker.record(schema.root, overrides) if isinstance(schema.root, Record) else maker.make(schema.root, "", "")


def case_of(seed: int) -> Case:
    """What a seed is about."""
    if seed == 0:
        return Case.SMALLEST
    return _EDGES[(seed - 2) % len(_EDGES)] if 2 <= seed < FIRST_PLAUSIBLE else Case.PLAUSIBLE


class _Maker:
    def __init__(self, binding: Binding, heights: Heights, seed: int) -> None:
        self._binding = binding
        self._heights = heights
        self._seed = seed
        self._case = case_of(seed)
        self._open: dict[int, int] = {}
        self._made = 0

    def record(self, record: Record, overrides: dict[str, Any], path: str = "") -> Any:
        self._open[id(record)] = self._open.get(id(record), 0) + 1
        values = {}
        for field in record.fields:
            attribute = self._binding.attribute(record, field.name)
            if attribute not in overrides:
                values[attribute] = self.make(field.type, f"{path}.{field.name}", field.name)
            else:
                values[attribute] = overrides[attribute]
        unknown = next((name for name in overrides if name not in values), None)
        if unknown is not None:
            raise ClassMismatch(f"{record.name.simple} has no attribute '{unknown}'")
        self._open[id(record)] -= 1
        return build(self._binding.record(record), values)

    def make(self, type_: Type, path: str, field: str) -> Any:
        self._made += 1
        if self._made > TOO_MANY:
            raise SchemaLimit(f"the smallest values have more than {TOO_MANY} parts")
        match type_:
            case Record():
                return self.record(type_, {}, path)
            case Union():
                return self._union(type_, path, field)
            case Array():
                return [self.make(type_.items, f"{path}[{n}]", field) for n in range(self._count(type_.items, path))]
            case Map():
                keys = [
                    plausible.text("_id", self._random(f"{path}[{n}]")) for n in range(self._count(type_.values, path))
                ]
                return {key: self.make(type_.values, f"{path}.{key}", field) for key in keys}
            case Enum():
                return self._binding.member(type_, type_.symbols[self._index(len(type_.symbols), path)])
            case Fixed():
                return self._fixed(type_, path)
        return self._primitive(type_, path, field)

    def _union(self, union: Union, path: str, field: str) -> Any:
        branches = [branch for branch in union.branches if self._heights.of(branch) < ENDLESS]
        nulls = [branch for branch in branches if branch.kind == "null"]
        others = [branch for branch in branches if branch.kind != "null"]
        if self._is_ending() or (self._case is Case.SMALLEST and not nulls):
            chosen = min(branches, key=self._heights.of)
        elif nulls and (not others or self._case in (Case.SMALLEST, Case.NULLS)):
            chosen = nulls[0]
        else:
            chosen = others[self._index(len(others), path)]
        value = self.make(chosen, path, field)
        is_told = self._binding.is_generic and is_tagged(union) and chosen.kind != "null"
        return Tagged(tag(chosen), value) if is_told else value

    def _primitive(self, type_: Primitive, path: str, field: str) -> Any:
        number = self._random(path)
        match type_.kind:
            case "null":
                return None
            case "boolean":
                return self._case is not Case.SMALLEST and bool(number & 1)
            case "int" | "long":
                return self._meant(type_.logical, self._integer(type_, field, number))
            case "float" | "double":
                return self._float(type_.kind, number)
            case "bytes" if meaning_of(type_.logical) is Meaning.DECIMAL and type_.logical is not None:
                return self._meant(type_.logical, _signed(self._unscaled(type_.logical, field, number)))
            case "bytes":
                return b"" if self._case in _EMPTY else number.to_bytes(8, "big")
        if meaning_of(type_.logical) is Meaning.UUID:
            digits = self._bytes(16, path).hex()
            text = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
            return self._meant(type_.logical, text.encode())
        if self._case is Case.NON_ASCII_TEXT:
            return _NON_ASCII
        return "" if self._case in _EMPTY else plausible.text(field, number)

    def _fixed(self, fixed: Fixed, path: str) -> Any:
        meaning = meaning_of(fixed.logical)
        if meaning is Meaning.DECIMAL and fixed.logical is not None:
            unscaled = self._unscaled(fixed.logical, path, self._random(path))
            return self._meant(fixed.logical, unscaled.to_bytes(fixed.size, "big", signed=True), fixed.size)
        if meaning is Meaning.DURATION:
            return self._binding.duration(fixed)(*self._duration(self._random(path)))
        data = self._bytes(fixed.size, path)
        if meaning is not None:
            return self._meant(fixed.logical, data, fixed.size)
        cls = self._binding.fixed(fixed)
        return data if cls is None else cls(data)

    def _duration(self, number: int) -> tuple[int, int, int]:
        usual = (number % 12, number % 28, number % 86_400_000)
        top = (2**32 - 1,) * 3
        least = (0, 0, 0)
        return {Case.SMALLEST: least, Case.ZERO: least, Case.LEAST: least, Case.GREATEST: top}.get(self._case, usual)

    def _integer(self, type_: Primitive, field: str, number: int) -> int:
        meaning = meaning_of(type_.logical)
        if meaning is None:
            low, high = (INT_MIN, INT_MAX) if type_.kind == "int" else (LONG_MIN, LONG_MAX)
            usual = plausible.integer(field, number)
        else:
            low, high, begin, spread = _RANGES[meaning]
            usual = begin + number % spread
        return {Case.SMALLEST: 0, Case.ZERO: 0, Case.LEAST: low, Case.GREATEST: high}.get(self._case, usual)

    def _unscaled(self, logical: Logical, field: str, number: int) -> int:
        top: int = 10**logical.precision - 1
        usual = plausible.integer(field, number) % (top + 1)
        return {Case.SMALLEST: 0, Case.ZERO: 0, Case.LEAST: -top, Case.GREATEST: top}.get(self._case, usual)

    def _float(self, kind: str, number: int) -> float:
        usual = number % 100_000 / 100
        value = _FLOATS.get(self._case, usual)
        return value if kind == "double" else float(struct.unpack("<f", struct.pack("<f", value))[0])

    def _meant(self, logical: Logical | None, raw: Any, size: int = -1) -> Any:
        meaning = meaning_of(logical)
        if meaning is None or logical is None:
            return raw
        return reader_of(meaning, logical.precision, logical.scale, size=size)(raw)

    def _is_ending(self) -> bool:
        return max(self._open.values(), default=0) >= MAX_DEPTH or self._made > ENOUGH

    def _count(self, held: Type, path: str) -> int:
        # What has no finite value of its own stands in lists and maps that are empty.
        is_empty = self._is_ending() or self._heights.of(held) >= ENDLESS
        return 0 if is_empty else _COUNTS.get(self._case, 1 + self._random(path) % 2)

    def _index(self, count: int, path: str) -> int:
        if self._seed < FIRST_PLAUSIBLE:
            return max(self._seed - 2, 0) % count
        return self._random(path) % count

    def _bytes(self, size: int, path: str) -> bytes:
        if self._case in _EMPTY or size > 4096:
            return bytes(size)
        blocks = (self._random(f"{path}#{n}").to_bytes(8, "big") for n in range(size // 8 + 1))
        return b"".join(blocks)[:size]

    def _random(self, path: str) -> int:
        state = self._seed & (2**64 - 1)
        for byte in path.encode():
            state = _splitmix64(state ^ byte)
        return _splitmix64(state)


def _splitmix64(state: int) -> int:
    """One step of the generator; 64 bits. Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators"."""
    mask = 2**64 - 1
    z = (state + 0x9E3779B97F4A7C15) & mask
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & mask
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & mask
    return z ^ (z >> 31)


def _signed(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)
