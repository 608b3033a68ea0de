"""From Avro's bytes to JSON values, by the schema alone; the bytes come from our own encoder and hold no surprises."""

from __future__ import annotations

import base64
import math
from decimal import Decimal
from typing import Any

from treaty_avro.avrojson.style import EXACT_INTEGER, Style, is_tagged
from treaty_avro.schema.model import Array, Enum, Fixed, Json, Logical, Map, Primitive, Record, Type, Union
from treaty_avro.values.meaning import Meaning, meaning_of, reader_of
from treaty_avro.values.tagged import tag
from treaty_avro.values.wire import read_block, read_length, read_long, unpack_double, unpack_float


class JsonWriter:
    """Reads one message and builds what ``json.dumps`` takes."""

    def __init__(self, data: bytes, *, style: Style) -> None:
        """``data`` begins with the value."""
        self._data = data
        self._at = 0
        self._style = style

    def json(self, type_: Type) -> Json:
        """The next value as JSON."""
        match type_:
            case Primitive():
                return self._primitive(type_)
            case Fixed():
                return self._told(self._take(type_.size), type_.logical, type_.size)
            case Enum():
                return type_.symbols[self._long()]
            case Array():
                items = [self.json(type_.items) for _ in range(self._count())]
                self._at += 1
                return items
            case Map():
                entries = dict(self._entry(type_) for _ in range(self._count()))
                self._at += 1
                return entries
            case Union():
                return self._union(type_)
            case Record():
                return {field.name: self.json(field.type) for field in type_.fields}

    def _union(self, union: Union) -> Json:
        branch = union.branches[self._long()]
        value = self.json(branch)
        return {tag(branch): value} if branch.kind != "null" and is_tagged(union, self._style) else value

    def _primitive(self, type_: Primitive) -> Json:
        match type_.kind:
            case "null":
                return None
            case "boolean":
                return self._take(1) == b"\x01"
            case "int" | "long":
                return self._told(self._long(), type_.logical, -1)
            case "float":
                return _number(unpack_float(self._take(4))[0])
            case "double":
                return _number(unpack_double(self._take(8))[0])
        length, self._at = read_length(self._data, self._at)
        data = self._take(length)
        if type_.kind == "string" and meaning_of(type_.logical) is None:
            return data.decode()
        return self._told(data, type_.logical, -1, is_text=type_.kind == "string")

    def _told(self, raw: Any, logical: Logical | None, size: int, *, is_text: bool = False) -> Json:
        meaning = meaning_of(logical)
        if self._style == "avro" or meaning is None or logical is None:
            return self._raw(raw, is_text=is_text)
        value = reader_of(meaning, logical.precision, logical.scale, size=size)(raw)
        if meaning is Meaning.DURATION:
            return dict(zip(("months", "days", "milliseconds"), value, strict=True))
        if isinstance(value, Decimal):
            return f"{value:f}"
        return str(value) if meaning is Meaning.UUID else value.isoformat().replace("+00:00", "Z")

    def _raw(self, raw: Any, *, is_text: bool) -> Json:
        if isinstance(raw, int):
            is_exact = self._style == "avro" or -EXACT_INTEGER <= raw <= EXACT_INTEGER
            return raw if is_exact else str(raw)
        if is_text:
            return raw.decode()
        return raw.decode("latin-1") if self._style == "avro" else base64.b64encode(raw).decode()

    def _entry(self, map_: Map) -> tuple[str, Json]:
        length, self._at = read_length(self._data, self._at)
        return self._take(length).decode(), self.json(map_.values)

    def _count(self) -> int:
        # Our encoder writes one block at most, and no block's size.
        count, after, _ = read_block(self._data, self._at)
        self._at = after if count else self._at
        return count

    def _long(self) -> int:
        value, self._at = read_long(self._data, self._at)
        return value

    def _take(self, size: int) -> bytes:
        self._at += size
        return self._data[self._at - size : self._at]


def _number(value: float) -> Json:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
