"""Schemas as texts: Avro Java's ``toString``, the same with everything inlined, and the Parsing Canonical Form.

Source: Avro Java 1.12, ``Schema.toString`` and ``SchemaNormalization``; Apache Avro 1.12 specification,
"Parsing Canonical Form for Schemas".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from treaty_avro.errors import SchemaLimit
from treaty_avro.schema.model import Array, Enum, Field, Fixed, Map, Missing, Named, Primitive, Record, Type, Union
from treaty_avro.schema.names import reference
from treaty_avro.schema.schema import Schema
from treaty_avro.text.javajson import members, string, value

# The parser's limit: what is written here is read again. References and uses before definitions nest types deeper
# than any text they came from.
MAX_DEPTH: Final = 100


def canonical_text(schema: Schema) -> str:
    """The schema as Avro Java writes it; the top-level types of its references (and of theirs) stay names.

    This is what a registry stores. Raises ``SchemaLimit`` if types come to stand deeper than 100 levels.
    """
    return type_text(schema.root, known=top_level(schema), path=schema.path)


def inlined_text(schema: Schema) -> str:
    """The canonical text with every referenced type defined at its first use: it stands without references."""
    return type_text(schema.root, path=schema.path)


def parsing_canonical_form(schema: Schema) -> str:
    """What matters to a reader: names in full, types, fields, symbols and sizes; referenced types are inlined."""
    parts: list[str] = []
    _form(schema.root, parts, set(), 1, schema.path)
    return "".join(parts)


def type_text(type_: Type, *, known: Iterable[str] = (), path: str = "<schema>") -> str:
    """One type as Avro Java writes it; ``known`` are full names that stay names."""
    writer = _Writer(set(known), path)
    writer.type(type_, None, 1)
    return "".join(writer.parts)


def top_level(schema: Schema) -> list[str]:
    """Full names of the types that the schema's references, and theirs, define at their top, nearest first."""
    names: dict[str, None] = {}
    seen: set[int] = set()
    waiting = list(schema.references)
    for each in waiting:
        if id(each) not in seen:
            seen.add(id(each))
            if isinstance(each.root, Record | Enum | Fixed):
                names[each.root.name.full] = None
            waiting.extend(each.references)
    return list(names)


def check_depth(depth: int, *, path: str) -> None:
    """Raise ``SchemaLimit`` where a type would be defined deeper than it could be read."""
    if depth > MAX_DEPTH:
        reason = f"types come to stand more than {MAX_DEPTH} levels deep; define them before they are used"
        raise SchemaLimit(reason, path=path)


class _Writer:
    """Writes types in order; the first occurrence of a named type defines it, later ones name it."""

    def __init__(self, known: set[str], path: str) -> None:
        self.parts: list[str] = []
        self._known = known
        self._path = path

    def type(self, type_: Type, namespace: str | None, depth: int) -> None:
        """``namespace``: the enclosing one, "" for none, None outside every type."""
        match type_:
            case Primitive():
                self.parts.append(self._primitive(type_, depth))
            case Record() | Enum() | Fixed():
                self._named(type_, namespace, depth)
            case Array() | Map():
                key, child = ("items", type_.items) if isinstance(type_, Array) else ("values", type_.values)
                check_depth(depth, path=self._path)
                self.parts.append(f'{{"type":"{type_.kind}","{key}":')
                self.type(child, namespace, depth + 1)
                self.parts.append(f"{members(type_.props)}}}")
            case Union():
                check_depth(depth, path=self._path)
                opening = "["
                for branch in type_.branches:
                    self.parts.append(opening)
                    self.type(branch, namespace, depth + 1)
                    opening = ","
                self.parts.append("]" if type_.branches else "[]")

    def _primitive(self, type_: Primitive, depth: int) -> str:
        if not type_.props:
            return f'"{type_.kind}"'
        check_depth(depth, path=self._path)
        return f'{{"type":"{type_.kind}"{members(type_.props)}}}'

    def _named(self, type_: Named, namespace: str | None, depth: int) -> None:
        name = type_.name
        if name.full in self._known:
            self.parts.append(string(reference(name, namespace or "")))
            return
        check_depth(depth, path=self._path)
        self._known.add(name.full)
        kind = "error" if isinstance(type_, Record) and type_.is_error else type_.kind
        self.parts.append(f'{{"type":"{kind}","name":{string(name.simple)}')
        if name.namespace != (namespace or ""):
            self.parts.append(f',"namespace":{string(name.namespace)}')
        if type_.doc is not None:
            self.parts.append(f',"doc":{string(type_.doc)}')
        match type_:
            case Record():
                self._fields(type_, depth)
            case Enum():
                self.parts.append(f',"symbols":{value(list(type_.symbols))}')
                self.parts.append("" if type_.default is None else f',"default":{string(type_.default)}')
            case Fixed():
                self.parts.append(f',"size":{type_.size}')
        self.parts.append(members(type_.props))
        if type_.aliases:
            self.parts.append(f',"aliases":{value([reference(alias, name.namespace) for alias in type_.aliases])}')
        self.parts.append("}")

    def _fields(self, record: Record, depth: int) -> None:
        opening = ',"fields":['
        for field in record.fields:
            type_, begin = field.type, f'{opening}{{"name":{string(field.name)},"type":'
            if type(type_) is Primitive and not type_.props:  # as most are
                self.parts.append(f'{begin}"{type_.kind}"{_rest(field)}}}')
            else:
                self.parts.append(begin)
                self.type(type_, record.name.namespace, depth + 1)
                self.parts.append(f"{_rest(field)}}}")
            opening = ","
        self.parts.append("]" if record.fields else ',"fields":[]')


def _rest(field: Field) -> str:
    text = "" if field.doc is None else f',"doc":{string(field.doc)}'
    if not isinstance(field.default, Missing):
        text += f',"default":{value(field.default)}'
    if field.order != "ascending":
        text += f',"order":"{field.order}"'
    if field.aliases:
        text += f',"aliases":{value(list(field.aliases))}'
    return text + members(field.props) if field.props else text


def _form(type_: Type, parts: list[str], known: set[str], depth: int, path: str) -> None:
    """Append the Parsing Canonical Form; one frame a level."""
    match type_:
        case Primitive():
            parts.append(f'"{type_.kind}"')
        case Array() | Map():
            key, child = ("items", type_.items) if isinstance(type_, Array) else ("values", type_.values)
            check_depth(depth, path=path)
            parts.append(f'{{"type":"{type_.kind}","{key}":')
            _form(child, parts, known, depth + 1, path)
            parts.append("}")
        case Union():
            check_depth(depth, path=path)
            opening = "["
            for branch in type_.branches:
                parts.append(opening)
                _form(branch, parts, known, depth + 1, path)
                opening = ","
            parts.append("]" if type_.branches else "[]")
        case _ if type_.name.full in known:
            parts.append(string(type_.name.full))
        case Enum() | Fixed():
            check_depth(depth, path=path)
            known.add(type_.name.full)
            rest = f'"size":{type_.size}' if isinstance(type_, Fixed) else f'"symbols":{value(list(type_.symbols))}'
            parts.append(f'{{"name":{string(type_.name.full)},"type":"{type_.kind}",{rest}}}')
        case Record():
            check_depth(depth, path=path)
            known.add(type_.name.full)
            opening = f'{{"name":{string(type_.name.full)},"type":"record","fields":['
            parts.append("" if type_.fields else opening)
            for field in type_.fields:
                parts.append(f'{opening}{{"name":"{field.name}","type":')
                _form(field.type, parts, known, depth + 1, path)
                parts.append("}")
                opening = ","
            parts.append("]}")
