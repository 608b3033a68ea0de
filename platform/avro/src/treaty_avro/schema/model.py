"""What a parsed Avro schema is: types, names, fields.

Laws: each occurrence of an unnamed type is its own object; each named type is exactly one object, however often it is
referred to. Identity therefore tells occurrences apart, and memoising by ``id`` is sound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Literal, TypeAlias

Json: TypeAlias = Any
"""A value as ``json.loads`` gives it."""

PRIMITIVES: Final = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")

PrimitiveKind: TypeAlias = Literal["null", "boolean", "int", "long", "float", "double", "bytes", "string"]


class Missing:
    """The type of ``MISSING``: a field that has no default (None is a default: null)."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()


@dataclass(frozen=True, slots=True)
class Name:
    """A named type's or an alias's name. ``namespace`` is "" for none."""

    namespace: str
    simple: str

    @property
    def full(self) -> str:
        """``namespace.simple``, or ``simple`` alone where there is no namespace."""
        return f"{self.namespace}.{self.simple}" if self.namespace else self.simple


@dataclass(frozen=True, slots=True)
class Logical:
    """A *valid* logical type; ``precision`` and ``scale`` only for decimals (digits)."""

    kind: str
    precision: int = 0
    scale: int = 0


@dataclass(slots=True, eq=False, kw_only=True)
class Primitive:
    """One of the eight primitive types."""

    kind: PrimitiveKind
    props: Mapping[str, Json] = field(default_factory=dict)
    logical: Logical | None = None
    pointer: str = ""


@dataclass(slots=True, eq=False, kw_only=True)
class Array:
    """A list of ``items``."""

    kind: ClassVar[Literal["array"]] = "array"
    items: Type
    props: Mapping[str, Json] = field(default_factory=dict)
    logical: Logical | None = None
    pointer: str = ""


@dataclass(slots=True, eq=False, kw_only=True)
class Map:
    """String keys to ``values``."""

    kind: ClassVar[Literal["map"]] = "map"
    values: Type
    props: Mapping[str, Json] = field(default_factory=dict)
    logical: Logical | None = None
    pointer: str = ""


@dataclass(slots=True, eq=False, kw_only=True)
class Union:
    """One of ``branches``."""

    kind: ClassVar[Literal["union"]] = "union"
    branches: tuple[Type, ...]
    props: Mapping[str, Json] = field(default_factory=dict)
    logical: Logical | None = None
    pointer: str = ""


@dataclass(slots=True, eq=False, kw_only=True)
class Field:
    """One field of a record; ``index`` counts from 0; ``default`` is JSON or ``MISSING``."""

    name: str
    type: Type
    doc: str | None = None
    default: Json | Missing = MISSING
    order: Literal["ascending", "descending", "ignore"] = "ascending"
    aliases: tuple[str, ...] = ()
    props: Mapping[str, Json] = field(default_factory=dict)
    index: int = 0
    pointer: str = ""


@dataclass(slots=True, eq=False, kw_only=True)
class Record:
    """A record, or an error (``is_error``). ``fields`` is filled after the record itself exists: it may hold itself."""

    kind: ClassVar[Literal["record"]] = "record"
    name: Name
    fields: tuple[Field, ...] = ()
    is_error: bool = False
    doc: str | None = None
    aliases: tuple[Name, ...] = ()
    props: Mapping[str, Json] = field(default_factory=dict)
    logical: Logical | None = None
    pointer: str = ""


@dataclass(slots=True, eq=False, kw_only=True)
class Enum:
    """An enum; ``default`` is the symbol that stands for unknown ones, or None."""

    kind: ClassVar[Literal["enum"]] = "enum"
    name: Name
    symbols: tuple[str, ...]
    default: str | None = None
    doc: str | None = None
    aliases: tuple[Name, ...] = ()
    props: Mapping[str, Json] = field(default_factory=dict)
    logical: Logical | None = None
    pointer: str = ""


@dataclass(slots=True, eq=False, kw_only=True)
class Fixed:
    """Exactly ``size`` bytes."""

    kind: ClassVar[Literal["fixed"]] = "fixed"
    name: Name
    size: int
    doc: str | None = None
    aliases: tuple[Name, ...] = ()
    props: Mapping[str, Json] = field(default_factory=dict)
    logical: Logical | None = None
    pointer: str = ""


Named: TypeAlias = Record | Enum | Fixed
Type: TypeAlias = Primitive | Array | Map | Union | Record | Enum | Fixed

_new: Final = object.__new__


def bare_primitive(kind: PrimitiveKind, pointer: str) -> Primitive:
    """A primitive without properties, as most are: ``Primitive(…)`` at a third of its cost."""
    # Parsing spends a sixth of its time in the calls of __init__ by keyword that these two leave out.
    made = _new(Primitive)
    made.kind, made.pointer = kind, pointer
    made.props, made.logical = {}, None
    return made


def bare_field(name: str, type_: Type, index: int, pointer: str) -> Field:
    """A field of a name and a type alone, as most are: ``Field(…)`` at a third of its cost."""
    made = _new(Field)
    made.name, made.type, made.index, made.pointer = name, type_, index, pointer
    made.doc, made.default, made.order = None, MISSING, "ascending"
    made.aliases, made.props = (), {}
    return made
