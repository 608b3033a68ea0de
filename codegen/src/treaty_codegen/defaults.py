"""Defaults of fields as Python source.

A value that could be changed in place (a list, a map, a record) is made anew each time, by a ``default_factory``.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from treaty_avro import Array, Enum, Field, Fixed, Logical, Map, Primitive, Record, Type, Union
from treaty_avro.schema.defaults import Defaults, number
from treaty_avro.schema.model import Json
from treaty_codegen.layout import Layout
from treaty_codegen.literals import STEP
from treaty_codegen.logical_literals import CALENDAR, decimal_text, uuid_text
from treaty_codegen.reach import has_class, is_duration
from treaty_codegen.source import DURATION, Scope

MAX_VALUES: Final = 10_000
"""Record defaults can double at every level of nesting; more values than this are refused."""


class UnusableDefault(ValueError):
    """A default that its type allows and no value has; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultSource:
    """An expression. ``needs_factory``: it must be evaluated for each event, not once in the class body."""

    expression: str
    needs_factory: bool


class DefaultWriter:
    """Writes one default for a class whose ``scope`` is given. Raises ``UnusableDefault``."""

    def __init__(self, layout: Layout, *, scope: Scope) -> None:
        """Begin with no value written."""
        self._layout = layout
        self._scope = scope
        self._values = 0
        self._needs_factory = False

    def write(self, type_: Type, *, default: Json) -> DefaultSource:
        """The default of a field of this type, whose JSON the parser has accepted."""
        expression = self._expression(type_, default)
        return DefaultSource(expression=expression, needs_factory=self._needs_factory)

    def _expression(self, type_: Type, value: Json) -> str:
        self._values += 1
        if self._values > MAX_VALUES:
            raise UnusableDefault(f"has more than {MAX_VALUES:,} values; make it smaller")
        match type_:
            case Union():
                return self._expression(_first_fit(type_, value), value)
            case Array():
                self._needs_factory = True
                return f"[{', '.join(self._expression(type_.items, item) for item in value)}]"
            case Map():
                self._needs_factory = True
                pairs = (f"{self._text(key)}: {self._expression(type_.values, item)}" for key, item in value.items())
                return f"{{{', '.join(pairs)}}}"
            case Record():
                return self._record(type_, value)
            case Enum():
                return self._member(type_, value)
            case Fixed():
                return self._fixed(type_, value)
            case Primitive():
                return self._primitive(type_, value)

    def _record(self, type_: Record, value: Mapping[str, Json]) -> str:
        self._needs_factory = True
        attributes = self._layout.attributes(type_)
        given = (
            f"{attributes[field.name]}={self._expression(field.type, value.get(field.name, field.default))}"
            for field in type_.fields
        )
        return f"{self._class(type_.name.full)}({', '.join(given)})"

    def _member(self, type_: Enum, symbol: str) -> str:
        members = self._layout.attributes(type_)
        if symbol not in members:
            raise UnusableDefault(f"is {symbol!r:.80}, which is no symbol of {type_.name.full}")
        return f"{self._class(type_.name.full)}.{members[symbol]}"

    def _fixed(self, type_: Fixed, value: str) -> str:
        data = _latin1(value)
        if len(data) != type_.size:
            raise UnusableDefault(f"has {len(data)} bytes, {type_.name.full} takes {type_.size}")
        if is_duration(type_):
            self._needs_factory = True
            months, days, milliseconds = struct.unpack("<III", data)
            return f"{self._class(DURATION)}(months={months}, days={days}, milliseconds={milliseconds})"
        if not has_class(type_) and type_.logical is not None:
            if type_.logical.kind == "uuid":
                return self._made("_uuid", "UUID", str(UUID(bytes=data)))
            return self._decimal(data, type_.logical)
        return f"{self._class(type_.name.full)}({self._scope.source.bytes_literal(data)})"

    def _primitive(self, type_: Primitive, value: Json) -> str:
        logical = type_.logical
        if logical is not None and logical.kind == "decimal":
            return self._decimal(_latin1(value), logical)
        if logical is not None and (logical.kind in CALENDAR or logical.kind == "uuid"):
            try:
                return self._raw(logical.kind, value)
            except (OverflowError, ValueError):
                raise UnusableDefault(f"is {value!r:.80}, which no {logical.kind} has in Python") from None
        match type_.kind:
            case "float" | "double":
                return self._float(value, is_single=type_.kind == "float")
            case "bytes":
                return self._scope.source.bytes_literal(_latin1(value))
            case "string":
                return self._text(value)
            case _:
                return repr(value)  # None, True, False, or an int of any size

    def _raw(self, kind: str, value: Json) -> str:
        if kind == "uuid":
            return self._made("_uuid", "UUID", uuid_text(value))
        self._scope.source.library("_datetime")
        return CALENDAR[kind](value)

    def _decimal(self, data: bytes, logical: Logical) -> str:
        try:
            text = decimal_text(data, precision=logical.precision, scale=logical.scale)
        except ValueError as error:
            raise UnusableDefault(str(error)) from None
        return self._made("_decimal", "Decimal", text)

    def _made(self, library: str, name: str, text: str) -> str:
        return f"{self._scope.source.library(library)}.{name}({self._text(text)})"

    def _float(self, value: float | str, *, is_single: bool) -> str:
        exact = number(value) if isinstance(value, str) else value
        try:
            shown = float("nan" if exact is None else exact)
            if is_single and math.isfinite(shown):
                (shown,) = struct.unpack("<f", struct.pack("<f", shown))
        except OverflowError:
            raise UnusableDefault(
                f"is {value!r:.80}, which is too large for a {'float' if is_single else 'double'}"
            ) from None
        return repr(shown) if math.isfinite(shown) else f"{self._scope.builtin('float')}({self._text(repr(shown))})"

    def _text(self, text: str) -> str:
        return self._scope.source.literal(text, indent=STEP)

    def _class(self, full_name: str) -> str:
        # A class that an attribute hides goes by an alias, which the end of the module binds: too late for a class body.
        self._needs_factory = self._needs_factory or self._scope.hides(full_name)
        return self._scope.class_name(full_name)


def _first_fit(type_: Union, value: Json) -> Type:
    """The first branch that accepts a default, as the codec reads it."""
    judge = Defaults()
    for branch in type_.branches:
        if judge.fault(Field(name="", type=branch, default=value)) is None:
            return branch
    raise UnusableDefault("fits no branch of the union")


def _latin1(text: str) -> bytes:
    """Avro writes the bytes of a default as the code points 0 to 255."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise UnusableDefault("holds a character above U+00FF; bytes are written as U+0000 to U+00FF") from None
