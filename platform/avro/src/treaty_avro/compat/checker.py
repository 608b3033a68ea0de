"""Whether data of one schema can be read as another: Avro Java's verdict, type by type.

Laws: the verdict, its kinds, places and words are Java's, quirks included, because registries and their users compare
them; a pair that is being compared further up counts as compatible; a pair that was compared keeps the places of its
first visit. Logical types, docs, values of defaults, order and properties do not count.
Source: Avro Java 1.12, ``SchemaCompatibility``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from treaty_avro.errors import AmbiguousField, SchemaLimit
from treaty_avro.schema.jsontext import escape
from treaty_avro.schema.model import Array, Enum, Field, Fixed, Map, Missing, Named, Primitive, Record, Type, Union
from treaty_avro.schema.schema import Schema
from treaty_avro.text.canonical import type_text
from treaty_avro.text.javajson import ordered

Reason: TypeAlias = Literal[
    "NAME_MISMATCH",
    "FIXED_SIZE_MISMATCH",
    "MISSING_ENUM_SYMBOLS",
    "READER_FIELD_MISSING_DEFAULT_VALUE",
    "TYPE_MISMATCH",
    "MISSING_UNION_BRANCH",
]

MAX_DEPTH: Final = 250
MAX_PAIRS: Final = 200_000
MAX_FOUND: Final = 10_000
MAX_HELD: Final = 100_000
"""Reasons held while types are compared; beyond it a pair of records keeps its first reason alone."""

PROMOTIONS: Final[Mapping[str, frozenset[str]]] = {
    "long": frozenset({"int"}),
    "float": frozenset({"int", "long"}),
    "double": frozenset({"int", "long", "float"}),
    "string": frozenset({"bytes"}),
    "bytes": frozenset({"string"}),
}
"""Reader's kind → writers' kinds that it reads beside its own."""

_Place: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Incompatibility:
    """One reason why ``reader`` cannot read what ``writer`` writes; ``location`` is a pointer into the reader."""

    type: Reason
    location: str
    message: str
    reader: Type
    writer: Type


# What a pair of types brings up, its parts' lists held and not copied: a pair that recurs is told again at each place,
# which can double the whole at every level. Empty lists are never held.
_Found: TypeAlias = "Sequence[Incompatibility | _Found]"


def incompatibilities(reader: Schema, writer: Schema) -> list[Incompatibility]:
    """Every reason why the reader cannot read the writer's data; empty if it can. At most 10,000 are told.

    Raises ``AmbiguousField`` where a reader's field stands for two of the writer's, ``SchemaLimit`` where the types
    are deeper than 250 levels or the pairs more than 200,000.
    """
    try:
        return _flat(_Comparison(reader.path).compare(reader.root, writer.root, ()))
    except RecursionError:
        raise SchemaLimit("types refer to types deeper than the stack that is left", path=reader.path) from None


def is_same_name(reader: Named, writer: Named) -> bool:
    """Whether the names match: the simple ones, or the writer's full one and an alias of the reader."""
    if reader.name.simple == writer.name.simple:
        return True
    # A dotted alias without namespace never equals a full name in Java, where it shows with its dot.
    return any(
        alias.full == writer.name.full and (alias.namespace or not reader.name.namespace) for alias in reader.aliases
    )


def _matching(reader: Field, writer: Record, fields: Mapping[str, Field]) -> Field | None:
    if not reader.aliases:
        return fields.get(reader.name)
    found = [fields[name] for name in (reader.name, *reader.aliases) if name in fields]
    if len(found) > 1:
        place = f"{reader.name} type:{reader.type.kind.upper()} pos:{reader.index}"
        text = type_text(writer)
        raise AmbiguousField(f"Reader record field {place} matches multiple fields in writer record schema {text}")
    return found[0] if found else None


class _Comparison:
    """One reader against one writer. Two Python frames a level: ``compare`` and what it calls."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._known: dict[tuple[int, int], _Found] = {}
        self._depth = 0
        self._held = 0

    def compare(self, reader: Type, writer: Type, at: _Place) -> _Found:
        if isinstance(reader, Primitive) and reader.kind == writer.kind:
            return ()
        pair = (id(reader), id(writer))
        known = self._known.get(pair)
        if known is not None:
            return known
        # While it is being compared, and empty: compatible until shown otherwise.
        self._known[pair] = ()
        if len(self._known) > MAX_PAIRS:
            raise SchemaLimit(
                f"more than {MAX_PAIRS:,} pairs of types to compare; make the unions smaller", path=self._path
            )
        if self._depth >= MAX_DEPTH:
            raise SchemaLimit(f"types refer to types more than {MAX_DEPTH} levels deep", path=self._path)
        self._depth += 1
        found: _Found
        match reader, writer:
            case Union(), Union():
                found = self._unions(reader, writer, at)
            case _, Union():
                found = self._each(reader, writer, at)
            case Union(), _:
                found = self._first(reader, writer, at)
            case Record(), Record():
                found = self._records(reader, writer, at)
            case Array(), Array():
                found = self.compare(reader.items, writer.items, (*at, "items"))
            case Map(), Map():
                found = self.compare(reader.values, writer.values, (*at, "values"))
            case _:
                found = _leaves(reader, writer, at)
        self._depth -= 1
        self._known[pair] = found
        return found

    def _unions(self, reader: Union, writer: Union, at: _Place) -> _Found:
        found = []
        for index, branch in enumerate(writer.branches):
            # A primitive branch is reached through its union only, and its reasons are dropped: nothing to remember.
            is_read = (
                _has_primitive(reader, branch)
                if isinstance(branch, Primitive)
                else not self.compare(reader, branch, ())
            )
            if not is_read:
                found.append(_lacking(reader, branch, (*at, str(index)), whole=writer))
        return found

    def _each(self, reader: Type, writer: Union, at: _Place) -> _Found:
        found = []
        for index, branch in enumerate(writer.branches):
            found.append(self.compare(reader, branch, (*at, str(index))))
        return list(filter(None, found))

    def _first(self, reader: Union, writer: Type, at: _Place) -> _Found:
        if isinstance(writer, Primitive):
            return () if _has_primitive(reader, writer) else [_lacking(reader, writer, at, whole=writer)]
        for branch in reader.branches:
            if not isinstance(branch, Primitive) and not self.compare(branch, writer, ()):
                return ()
        return [_lacking(reader, writer, at, whole=writer)]

    def _records(self, reader: Record, writer: Record, at: _Place) -> _Found:
        found: list[Incompatibility | _Found] = [*_names(reader, writer, at)]
        fields = {field.name: field for field in writer.fields}
        for field in reader.fields:
            match = _matching(field, writer, fields)
            # Asked before a place is built: most fields of most versions have not changed.
            if match is not None and _is_plain(field.type, match.type):
                continue
            # Unions of records that differ in every field: pairs times fields would be millions of reasons, then dropped.
            if found and self._held > MAX_HELD:
                break
            below = (*at, "fields", str(field.index))
            each: Incompatibility | _Found = ()
            if match is not None:
                each = self.compare(field.type, match.type, (*below, "type"))
            elif isinstance(field.default, Missing):
                if isinstance(field.type, Enum) and field.type.default is not None:
                    # Java compares the enum with the writer's whole record here; the mismatch is what users see.
                    each = self.compare(field.type, writer, (*below, "type"))
                else:
                    each = _found("READER_FIELD_MISSING_DEFAULT_VALUE", below, field.name, reader, writer)
            if each:
                found.append(each)
        self._held += len(found)
        return found


def _flat(found: _Found) -> list[Incompatibility]:
    result: list[Incompatibility] = []
    waiting = [iter(found)]
    while waiting and len(result) < MAX_FOUND:
        each = next(waiting[-1], None)
        if each is None:
            waiting.pop()
        elif isinstance(each, Incompatibility):
            result.append(each)
        else:
            waiting.append(iter(each))
    return result


def _is_plain(reader: Type, writer: Type) -> bool:
    """Whether the types are seen to be compatible at one look: the same primitive, or lists, maps, unions of primitives."""
    if isinstance(reader, Primitive):
        return reader.kind == writer.kind
    if isinstance(reader, Union) and isinstance(writer, Union):
        kinds = [branch.kind for branch in reader.branches]
        return all(isinstance(branch, Primitive) and branch.kind in kinds for branch in writer.branches)
    if isinstance(reader, Array) and isinstance(writer, Array):
        return isinstance(reader.items, Primitive) and reader.items.kind == writer.items.kind
    if isinstance(reader, Map) and isinstance(writer, Map):
        return isinstance(reader.values, Primitive) and reader.values.kind == writer.values.kind
    return False


def _has_primitive(reader: Union, writer: Primitive) -> bool:
    kind = writer.kind
    return any(branch.kind == kind or kind in PROMOTIONS.get(branch.kind, ()) for branch in reader.branches)


def _leaves(reader: Type, writer: Type, at: _Place) -> list[Incompatibility]:
    match reader, writer:
        case Fixed(), Fixed():
            found = _names(reader, writer, at)
            if reader.size != writer.size:
                message = f"expected: {writer.size}, found: {reader.size}"
                found.append(_found("FIXED_SIZE_MISMATCH", (*at, "size"), message, reader, writer))
            return found
        case Enum(), Enum():
            missing = set(writer.symbols) - set(reader.symbols)
            found = _names(reader, writer, at)
            if missing and reader.default is None:
                message = f"[{', '.join(ordered(missing))}]"
                found.append(_found("MISSING_ENUM_SYMBOLS", (*at, "symbols"), message, reader, writer))
            return found
    if reader.kind == writer.kind or writer.kind in PROMOTIONS.get(reader.kind, ()):
        return []
    message = f"reader type: {reader.kind.upper()} not compatible with writer type: {writer.kind.upper()}"
    return [_found("TYPE_MISMATCH", at, message, reader, writer)]


def _names(reader: Named, writer: Named, at: _Place) -> list[Incompatibility]:
    if is_same_name(reader, writer):
        return []
    return [_found("NAME_MISMATCH", (*at, "name"), f"expected: {writer.name.full}", reader, writer)]


def _lacking(reader: Union, branch: Type, at: _Place, *, whole: Type) -> Incompatibility:
    message = f"reader union lacking writer type: {branch.kind.upper()}"
    return _found("MISSING_UNION_BRANCH", at, message, reader, whole)


def _found(type_: Reason, at: _Place, message: str, reader: Type, writer: Type) -> Incompatibility:
    return Incompatibility(type_, "/" + "/".join(map(escape, at)), message, reader, writer)
