"""A schema text becomes a schema, as Avro Java 1.12 reads it.

Laws: names are known from where they are defined, later ones are settled at the end; each named type becomes one object;
what Java ignores is ignored and noted in ``warnings``; every refusal says where.
Source: Apache Avro 1.12 specification, "Schema Declaration"; Avro Java, ``Schema.parse``, ``ParseContext``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias, cast

from treaty_avro.errors import SchemaLimit
from treaty_avro.schema import jsontext
from treaty_avro.schema.attributes import (
    NAME_RULE,
    RESERVED,
    RESERVED_ENUM,
    RESERVED_FIELD,
    Attributes,
    Object,
    props_of,
)
from treaty_avro.schema.defaults import Defaults, TooMuch, shown
from treaty_avro.schema.forward import Forward, Holder, settle, settled
from treaty_avro.schema.model import (
    MISSING,
    PRIMITIVES,
    Array,
    Enum,
    Field,
    Fixed,
    Json,
    Map,
    Named,
    Primitive,
    PrimitiveKind,
    Record,
    Type,
    Union,
    bare_field,
    bare_primitive,
)
from treaty_avro.schema.names import is_name, qualify
from treaty_avro.schema.notes import Notes
from treaty_avro.schema.schema import Schema, known_types
from treaty_avro.schema.scope import Scope

Rules: TypeAlias = Literal["new", "stored"]
"""``stored``: texts that a registry once accepted; their defaults and namespaces are not judged again."""

MAX_DEPTH: Final = 100
MAX_FIXED_BYTES: Final = 2**31 - 9


def parse(text: str, *, references: Sequence[Schema] = (), path: str = "<schema>", rules: Rules = "new") -> Schema:
    """The schema of a JSON text, which may use the named types of ``references`` (and of their references).

    ``path`` names the text in messages. Raises ``SchemaError`` with line, column and pointer.
    """
    reader = _Reader(text, references=references, path=path, rules=rules)
    try:
        return reader.schema()
    except RecursionError:
        raise SchemaLimit("the schema is nested deeper than the stack that is left", path=path) from None


class _Reader:
    def __init__(self, text: str, *, references: Sequence[Schema], path: str, rules: Rules) -> None:
        self._text, self._path, self._rules = text, path, rules
        self._references = tuple(references)
        self._scope = Scope(known_types(self._references))
        self._notes = Notes(text, path=path)
        self._attributes = Attributes(self._notes, are_namespaces_judged=rules == "new")
        self._holders: list[Holder] = []
        self._with_default: list[Field] = []
        self._has_forward = False

    def schema(self) -> Schema:
        document = jsontext.read(self._text, path=self._path)
        root = self._type(document, "", "", 1)
        if self._has_forward:
            settle(self._holders, self._scope, self._notes)
            for holder in self._holders:
                if isinstance(holder, Union):
                    self._check_union(holder)
            root = settled(root, self._scope, self._notes)
        for second in self._scope.unequal():
            reason = f"can't redefine {second.name.full}: it is defined differently before"
            raise self._notes.error(reason, second.pointer)
        if self._rules == "new":
            self._judge_defaults()
        return Schema(
            root=root, named=self._scope.named, text=self._text, path=self._path, references=self._references,
            warnings=tuple(self._notes.warnings),
        )  # fmt: skip

    # Types

    def _type(self, node: Json, namespace: str, at: str, depth: int) -> Type:
        if isinstance(node, str):
            return self._reference(node, namespace, at)
        if depth > MAX_DEPTH:
            raise self._notes.error(f"schema is nested {depth} levels deep; the limit is {MAX_DEPTH}", at, SchemaLimit)
        if isinstance(node, list):
            return self._union(node, namespace, at, depth)
        if isinstance(node, dict):
            return self._object(node, namespace, at, depth)
        raise self._notes.error(f"{shown(node)} is not a schema; write a type's name, an object or a list", at)

    def _reference(self, text: str, namespace: str, at: str) -> Type:
        if text in PRIMITIVES:
            return bare_primitive(cast(PrimitiveKind, text), at)
        name = qualify(text, namespace)
        found = self._scope.find(name.full) or self._scope.find(text)
        if found is not None:
            return found
        self._has_forward = True
        return Forward(name=name, pointer=at)

    def _object(self, node: Object, namespace: str, at: str, depth: int) -> Type:
        kind = node.get("type")
        if not isinstance(kind, str):
            raise self._notes.error(_untyped(node), at)
        if kind in PRIMITIVES:
            props = props_of(node, RESERVED)
            meaning = self._attributes.logical(kind, props, at)
            return Primitive(kind=cast(PrimitiveKind, kind), props=props, logical=meaning, pointer=at)
        match kind:
            case "record" | "error":
                return self._record(node, namespace, at, depth)
            case "enum":
                return self._enum(node, namespace, at)
            case "fixed":
                return self._fixed(node, namespace, at)
            case "array" | "map":
                return self._container(node, namespace, at, depth)
        if self._rules == "stored":
            # Avro for Java read this until 1.12, so registries hold it: an object around the name of a type defined before.
            named = self._scope.find(qualify(kind, namespace).full) or self._scope.find(kind)
            if named is not None:
                return named
        reason = f"{shown(kind)} is not a type here; write a primitive, record, enum, fixed, array or map"
        raise self._notes.error(f"{reason}, or the name alone instead of the object", f"{at}/type")

    def _container(self, node: Object, namespace: str, at: str, depth: int) -> Array | Map:
        kind, key = ("array", "items") if node["type"] == "array" else ("map", "values")
        if key not in node:
            raise self._notes.error(f"{kind} has no {key}; say which type they have", at)
        child = self._type(node[key], namespace, f"{at}/{key}", depth + 1)
        props = props_of(node, RESERVED)
        meaning = self._attributes.logical(kind, props, at)
        result: Array | Map
        if kind == "array":
            result = Array(items=child, props=props, logical=meaning, pointer=at)
        else:
            result = Map(values=child, props=props, logical=meaning, pointer=at)
        self._holders.append(result)
        return result

    def _union(self, node: list[Json], namespace: str, at: str, depth: int) -> Union:
        branches = []
        for index, branch in enumerate(node):
            branches.append(self._type(branch, namespace, f"{at}/{index}", depth + 1))
        union = Union(branches=tuple(branches), pointer=at)
        self._holders.append(union)
        self._check_union(union)
        return union

    def _check_union(self, union: Union) -> None:
        seen: set[str] = set()
        for index, branch in enumerate(union.branches):
            at = f"{union.pointer}/{index}"
            if isinstance(branch, Forward):
                continue
            if isinstance(branch, Union):
                raise self._notes.error("a union stands directly in a union; put its branches into the outer one", at)
            name = branch.name.full if isinstance(branch, Record | Enum | Fixed) else branch.kind
            if name in seen:
                reason = f"{name} stands twice in the union; readers could not tell the branches apart"
                raise self._notes.error(reason, at)
            seen.add(name)

    # Named types

    def _record(self, node: Object, namespace: str, at: str, depth: int) -> Record:
        name = self._attributes.name(node, namespace, at)
        fields = node.get("fields")
        if not isinstance(fields, list):
            raise self._notes.error(f"record {name.full} has no list of fields; an empty one is []", at)
        doc = self._attributes.optional(node, "doc", at)
        record = Record(name=name, is_error=node["type"] == "error", doc=doc, pointer=at)
        first = self._define(record)
        self._scope.open(name.full)
        read: dict[str, Field] = {}
        for index, each in enumerate(fields):
            field = self._field(each, name.namespace, f"{at}/fields/{index}", depth, index)
            if field.name in read:
                raise self._notes.error(f"field {field.name} stands twice in {name.full}", f"{at}/fields/{index}")
            read[field.name] = field
        record.fields = tuple(read.values())
        self._scope.close(name.full)
        self._finish(record, node, at, RESERVED)
        return cast(Record, first)

    def _enum(self, node: Object, namespace: str, at: str) -> Enum:
        name = self._attributes.name(node, namespace, at)
        symbols = node.get("symbols")
        if not isinstance(symbols, list):
            raise self._notes.error(f"enum {name.full} has no list of symbols", at)
        seen: set[str] = set()
        for index, symbol in enumerate(symbols):
            if not is_name(symbol):
                raise self._notes.error(f"{shown(symbol)} is not a symbol; {NAME_RULE}", f"{at}/symbols/{index}")
            if symbol in seen:
                raise self._notes.error(f"symbol {symbol} stands twice in {name.full}", f"{at}/symbols/{index}")
            seen.add(symbol)
        default = self._attributes.optional(node, "default", at)
        if default is not None and default not in seen:
            raise self._notes.error(f"default {shown(default)} is not a symbol of {name.full}", f"{at}/default")
        doc = self._attributes.optional(node, "doc", at)
        enum = Enum(name=name, symbols=tuple(symbols), default=default, doc=doc, pointer=at)
        first = self._define(enum)
        self._finish(enum, node, at, RESERVED_ENUM)
        return cast(Enum, first)

    def _fixed(self, node: Object, namespace: str, at: str) -> Fixed:
        name = self._attributes.name(node, namespace, at)
        size = node.get("size")
        if type(size) is not int or not 0 <= size <= MAX_FIXED_BYTES:
            raise self._notes.error(f"fixed {name.full} needs a size: an integer from 0 to {MAX_FIXED_BYTES}", at)
        fixed = Fixed(name=name, size=size, doc=self._attributes.optional(node, "doc", at), pointer=at)
        first = self._define(fixed)
        self._finish(fixed, node, at, RESERVED)
        return cast(Fixed, first)

    def _define(self, named: Named) -> Named:
        first = self._scope.define(named)
        if first is None:
            raise self._notes.error(f"can't redefine {named.name.full}: it is defined before", named.pointer)
        return first

    def _finish(self, named: Named, node: Object, at: str, reserved: frozenset[str]) -> None:
        named.props = props_of(node, reserved)
        size = named.size if isinstance(named, Fixed) else 0
        named.logical = self._attributes.logical(named.kind, named.props, at, size=size)
        named.aliases = self._attributes.type_aliases(node, named.name.namespace, at)

    # Fields

    def _field(self, node: Json, namespace: str, at: str, depth: int, index: int) -> Field:
        name = node.get("name") if isinstance(node, dict) else None
        if not isinstance(node, dict) or not isinstance(name, str):
            raise self._notes.error("a field is an object with a name and a type", at)
        if not is_name(name):
            raise self._notes.error(f"{shown(name)} is not a name; {NAME_RULE}", f"{at}/name")
        if "type" not in node:
            raise self._notes.error(f"field {name} has no type", at)
        type_ = self._type(node["type"], namespace, f"{at}/type", depth + 1)
        # A name and a type, as most fields are, or more.
        field = bare_field(name, type_, index, at) if len(node) == 2 else self._full_field(node, type_, index, at)
        self._holders.append(field)
        return field

    def _full_field(self, node: Object, type_: Type, index: int, at: str) -> Field:
        attributes, props = self._attributes, props_of(node, RESERVED_FIELD)
        if props and type_.logical is None and isinstance(props.get("logicalType"), str):
            reason = "logicalType stands beside the type and is ignored; move it into the type"
            self._notes.warn(reason, f"{at}/logicalType")
        field = Field(
            name=node["name"], type=type_, doc=attributes.optional(node, "doc", at),
            default=attributes.default(node, type_, at), order=attributes.order(node, at),
            aliases=tuple(dict.fromkeys(attributes.aliases(node, at))), props=props, index=index, pointer=at,
        )  # fmt: skip
        if field.default is not MISSING:
            self._with_default.append(field)
        return field

    def _judge_defaults(self) -> None:
        defaults = Defaults()
        for field in self._with_default:
            at = f"{field.pointer}/default"
            try:
                fault = defaults.fault(field)
            except TooMuch as limit:
                raise self._notes.error(str(limit.__doc__), at, SchemaLimit) from None
            if fault:
                reason = f"invalid default for field {field.name}: {fault.reason}"
                raise self._notes.error(reason, at + fault.pointer)


def _untyped(node: Object) -> str:
    if "type" not in node:
        return "a schema object needs a type"
    return "the type of a schema object is a name; only a field's type may be an object or a list"
