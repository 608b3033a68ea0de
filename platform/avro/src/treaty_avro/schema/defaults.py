"""Defaults of fields, as JSON: what is wrong with one.

Finer faults (an unknown symbol, a fixed of another size, a decimal too large) show when the default is used.
Source: Avro Java 1.12, ``Schema.isValidDefault``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from treaty_avro.schema.jsontext import escape
from treaty_avro.schema.model import MISSING, Array, Field, Json, Map, Missing, Primitive, Record, Type, Union

MAX_DEPTH: Final = 150
MAX_STEPS: Final = 250_000

_INTEGERS: Final[Mapping[str, int]] = {"int": 31, "long": 63}
_DECIMAL: Final = re.compile(r"[+-]?(?:NaN|Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fFdD]?)", re.ASCII)
_HEXADECIMAL: Final = re.compile(
    r"[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+[fFdD]?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a default, and where below it (RFC 6901, "" is the default itself)."""

    pointer: str
    says: str
    value: Json | Missing = MISSING

    @property
    def reason(self) -> str:
        """The sentence; made only for the one fault that is shown, since values may be large and are tried often."""
        return self.says if isinstance(self.value, Missing) else f"{shown(self.value)} {self.says}"


class TooMuch(Exception):  # the parser turns it into its own SchemaLimit, which knows the place
    """The default is larger, or fills in more nested records, than is followed; make it smaller."""


def number(text: str) -> float | None:
    """A float's or double's default that was written as a string, as Java's ``Double.parseDouble`` reads it."""
    literal = text.strip("".join(map(chr, range(33))))
    try:
        if _DECIMAL.fullmatch(literal):
            return float(literal if literal.endswith(("NaN", "Infinity")) else literal.rstrip("fFdD"))
        if _HEXADECIMAL.fullmatch(literal):
            return float.fromhex(literal.rstrip("fFdD") if literal[-2] not in "pP+-" else literal)
    except OverflowError:
        return float("-inf") if literal.startswith("-") else float("inf")
    return None


class Defaults:
    """Judges the defaults of one schema; what was judged once is remembered, for defaults refer to one another."""

    def __init__(self) -> None:
        """Begin with nothing judged."""
        self._known: dict[tuple[int, int], Fault | None] = {}
        self._open: set[tuple[int, int]] = set()

    def fault(self, field: Field) -> Fault | None:
        """What is wrong with a field's default; None if nothing is, or if it has none. Raises ``TooMuch``."""
        return None if isinstance(field.default, Missing) else self._judge(field.type, field.default)

    def _judge(self, type_: Type, value: Json) -> Fault | None:
        if isinstance(type_, Primitive):
            return None if _is_scalar(type_.kind, value) else Fault("", f"is not {_named(type_)}", value)
        # Without memory, records whose fields default to records, and unions of such records, take exponential time.
        key = (id(type_), id(value))
        if key in self._known:
            return self._known[key]
        if key in self._open:
            return Fault("", f"the default of {_named(type_)} holds itself and never ends")
        if len(self._open) >= MAX_DEPTH or len(self._known) >= MAX_STEPS:
            raise TooMuch
        self._open.add(key)
        try:
            fault = next(self._faults(type_, value), None)
        finally:
            self._open.discard(key)
        self._known[key] = fault
        return fault

    def _faults(self, type_: Type, value: Json) -> Iterator[Fault]:
        match type_:
            case Array() if isinstance(value, list):
                yield from self._below(((str(i), type_.items, item) for i, item in enumerate(value)))
            case Map() if isinstance(value, dict):
                yield from self._below(((key, type_.values, item) for key, item in value.items()))
            case Union():
                if all(self._judge(branch, value) for branch in type_.branches):
                    yield Fault("", "fits no branch of the union", value)
            case Record() if isinstance(value, dict):
                yield from self._fields(type_, value)
            case _:
                if not _is_scalar(type_.kind, value):
                    yield Fault("", f"is not {_named(type_)}", value)

    def _below(self, parts: Iterator[tuple[str, Type, Json]]) -> Iterator[Fault]:
        for token, type_, value in parts:
            fault = self._judge(type_, value)
            if fault:
                yield Fault(f"/{escape(token)}{fault.pointer}", fault.says, fault.value)

    def _fields(self, record: Record, value: Mapping[str, Json]) -> Iterator[Fault]:
        for field in record.fields:
            if field.name in value:
                yield from self._below(iter([(field.name, field.type, value[field.name])]))
            elif isinstance(field.default, Missing):
                yield Fault("", f"{field.name} is missing, and has no default of its own")
            else:
                fault = self._judge(field.type, field.default)
                if fault:
                    yield Fault("", f"{field.name} is missing, and its own default does not fit: {fault.says}")


def shown(value: Json) -> str:
    """At most 80 characters of a JSON value."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _is_scalar(kind: str, value: Json) -> bool:
    if kind in _INTEGERS:
        limit = 1 << _INTEGERS[kind]
        return type(value) is int and -limit <= value < limit
    if kind in ("float", "double"):
        return type(value) in (int, float)
    if kind in ("boolean", "null"):
        return isinstance(value, bool) if kind == "boolean" else value is None
    return isinstance(value, str) and kind in ("string", "bytes", "enum", "fixed")


def _named(type_: Type) -> str:
    if isinstance(type_, Record):
        return f"a record {type_.name.full}"
    return f"an {type_.kind}" if type_.kind[0] in "aeiou" else f"a {type_.kind}"
