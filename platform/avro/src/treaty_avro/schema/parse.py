"""A schema text becomes a schema, as Avro Java 1.12 reads it.

Laws: names are known from where they are defined, later ones are settled at the end; each named type becomes one object;
what Java ignores is ignored and noted in ``warnings``; every refusal says where.
Source: Apache Avro 1.12 specification, "Schema Declaration"; Avro Java, ``Schema.parse``, ``ParseContext``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, cast

from treaty_avro.errors import SchemaError, SchemaLimit
from treaty_avro.schema import jsontext, logical
from treaty_avro.schema.defaults import Defaults, TooMuch, number, shown
from treaty_avro.schema.model import (
    MISSING,
    PRIMITIVES,
    Array,
    Enum,
    Field,
    Fixed,
    Json,
    Logical,
    Map,
    Missing,
    Name,
    Named,
    Primitive,
    PrimitiveKind,
    Record,
    Type,
    Union,
)
from treaty_avro.schema.names import are_names, is_name, nearest, qualify
from treaty_avro.schema.schema import Notice, Schema, known_types
from treaty_avro.schema.scope import Scope

Rules: TypeAlias = Literal["new", "stored"]
"""``stored``: texts that a registry once accepted; their defaults and namespaces are not judged again."""

MAX_DEPTH: Final = 100
MAX_FIXED_BYTES: Final = 2**31 - 9

_RESERVED: Final = frozenset(
    {"type", "name", "namespace", "doc", "fields", "items", "values", "symbols", "size", "aliases"}
)
_RESERVED_ENUM: Final = _RESERVED | {"default"}
_RESERVED_FIELD: Final = frozenset({"name", "type", "doc", "default", "order", "aliases"})
_ORDERS: Final = ("ascending", "descending", "ignore")
_Order: TypeAlias = Literal["ascending", "descending", "ignore"]
_Object: TypeAlias = Mapping[str, Json]


def parse(text: str, *, references: Sequence[Schema] = (), path: str = "<schema>", rules: Rules = "new") -> Schema:
    """The schema of a JSON text, which may use the named types of ``references`` (and of their references).

    ``path`` names the text in messages. Raises ``SchemaError`` with line, column and pointer.
    """
    reader = _Reader(text, references=references, path=path, rules=rules)
    try:
        return reader.schema()
    except RecursionError:
        raise SchemaLimit("the schema is nested deeper than the stack that is left", path=path) from None


@dataclass(slots=True, eq=False, kw_only=True)
class _Forward(Record):
    """Stands for a type that is named before it is defined; none is left in a finished schema."""


class _Reader:
    def __init__(self, text: str, *, references: Sequence[Schema], path: str, rules: Rules) -> None:
        self._text, self._path, self._rules = text, path, rules
        self._references = tuple(references)
        self._scope = Scope(known_types(self._references))
        self._holders: list[Array | Map | Union | Field] = []
        self._has_forward = False
        self._warnings: list[Notice] = []

    def schema(self) -> Schema:
        document = jsontext.read(self._text, path=self._path)
        root = self._type(document, "", "", 1)
        if self._has_forward:
            root = self._settle_all(root)
        for second in self._scope.unequal():
            raise self._error(f"can't redefine {second.name.full}: it is defined differently before", second.pointer)
        if self._rules == "new":
            self._judge_defaults()
        return Schema(
            root=root, named=self._scope.named, text=self._text, path=self._path, references=self._references,
            warnings=tuple(self._warnings),
        )  # fmt: skip

    # Types

    def _type(self, node: Json, namespace: str, at: str, depth: int) -> Type:
        if isinstance(node, str):
            return self._reference(node, namespace, at)
        if depth > MAX_DEPTH:
            raise self._error(f"schema is nested {depth} levels deep; the limit is {MAX_DEPTH}", at, SchemaLimit)
        if isinstance(node, list):
            return self._union(node, namespace, at, depth)
        if isinstance(node, dict):
            return self._object(node, namespace, at, depth)
        raise self._error(f"{shown(node)} is not a schema; write a type's name, an object or a list", at)

    def _object(self, node: _Object, namespace: str, at: str, depth: int) -> Type:
        kind = node.get("type")
        if not isinstance(kind, str):
            raise self._error(_untyped(node), at)
        if kind in PRIMITIVES:
            props = _props(node, _RESERVED)
            return Primitive(
                kind=cast(PrimitiveKind, kind), props=props, logical=self._logical(kind, props, at), pointer=at
            )
        match kind:
            case "record" | "error":
                return self._record(node, namespace, at, depth)
            case "enum":
                return self._enum(node, namespace, at)
            case "fixed":
                return self._fixed(node, namespace, at)
            case "array" | "map":
                return self._container(node, namespace, at, depth)
        reason = f"{shown(kind)} is not a type here; write a primitive, record, enum, fixed, array or map"
        raise self._error(f"{reason}, or the name alone instead of the object", f"{at}/type")

    def _container(self, node: _Object, namespace: str, at: str, depth: int) -> Array | Map:
        kind, key = ("array", "items") if node["type"] == "array" else ("map", "values")
        if key not in node:
            raise self._error(f"{kind} has no {key}; say which type they have", at)
        child = self._type(node[key], namespace, f"{at}/{key}", depth + 1)
        props = _props(node, _RESERVED)
        meaning = self._logical(kind, props, at)
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
            if isinstance(branch, _Forward):
                continue
            if isinstance(branch, Union):
                raise self._error("a union stands directly in a union; put its branches into the outer one", at)
            name = branch.name.full if isinstance(branch, Record | Enum | Fixed) else branch.kind
            if name in seen:
                raise self._error(f"{name} stands twice in the union; readers could not tell the branches apart", at)
            seen.add(name)

    # Named types

    def _record(self, node: _Object, namespace: str, at: str, depth: int) -> Record:
        name = self._name(node, namespace, at)
        fields = node.get("fields")
        if not isinstance(fields, list):
            raise self._error(f"record {name.full} has no list of fields; an empty one is []", at)
        record = Record(name=name, is_error=node["type"] == "error", doc=self._optional(node, "doc", at), pointer=at)
        first = self._define(record)
        self._scope.open(name.full)
        read: list[Field] = []
        names: set[str] = set()
        for index, each in enumerate(fields):
            field = self._field(each, name.namespace, f"{at}/fields/{index}", depth, index)
            if field.name in names:
                raise self._error(f"field {field.name} stands twice in {name.full}", f"{at}/fields/{index}")
            names.add(field.name)
            read.append(field)
        record.fields = tuple(read)
        self._scope.close(name.full)
        self._finish(record, node, at, _RESERVED)
        return cast(Record, first)

    def _enum(self, node: _Object, namespace: str, at: str) -> Enum:
        name = self._name(node, namespace, at)
        symbols = node.get("symbols")
        if not isinstance(symbols, list):
            raise self._error(f"enum {name.full} has no list of symbols", at)
        seen: set[str] = set()
        for index, symbol in enumerate(symbols):
            if not is_name(symbol):
                raise self._error(f"{shown(symbol)} is not a symbol; {_NAME_RULE}", f"{at}/symbols/{index}")
            if symbol in seen:
                raise self._error(f"symbol {symbol} stands twice in {name.full}", f"{at}/symbols/{index}")
            seen.add(symbol)
        default = self._optional(node, "default", at)
        if default is not None and default not in seen:
            raise self._error(f"default {shown(default)} is not a symbol of {name.full}", f"{at}/default")
        doc = self._optional(node, "doc", at)
        enum = Enum(name=name, symbols=tuple(symbols), default=default, doc=doc, pointer=at)
        first = self._define(enum)
        self._finish(enum, node, at, _RESERVED_ENUM)
        return cast(Enum, first)

    def _fixed(self, node: _Object, namespace: str, at: str) -> Fixed:
        name = self._name(node, namespace, at)
        size = node.get("size")
        if type(size) is not int or not 0 <= size <= MAX_FIXED_BYTES:
            raise self._error(f"fixed {name.full} needs a size: an integer from 0 to {MAX_FIXED_BYTES}", at)
        fixed = Fixed(name=name, size=size, doc=self._optional(node, "doc", at), pointer=at)
        first = self._define(fixed)
        self._finish(fixed, node, at, _RESERVED)
        return cast(Fixed, first)

    def _define(self, named: Named) -> Named:
        first = self._scope.define(named)
        if first is None:
            raise self._error(f"can't redefine {named.name.full}: it is defined before", named.pointer)
        return first

    def _finish(self, named: Named, node: _Object, at: str, reserved: frozenset[str]) -> None:
        named.props = _props(node, reserved)
        size = named.size if isinstance(named, Fixed) else 0
        named.logical = self._logical(named.kind, named.props, at, size=size)
        aliases: dict[Name, None] = {}
        for index, alias in enumerate(self._aliases(node, at)):
            name = qualify(alias, named.name.namespace)
            if not is_name(name.simple):
                raise self._error(f"{shown(alias)} is not an alias; {_NAME_RULE}", f"{at}/aliases/{index}")
            aliases[name] = None
        named.aliases = tuple(aliases)

    def _name(self, node: _Object, inherited: str, at: str) -> Name:
        text = node.get("name")
        if not isinstance(text, str):
            raise self._error(f"{node['type']} has no name", at)
        namespace = self._optional(node, "namespace", at)
        name = qualify(text, inherited if namespace is None else namespace)
        if not is_name(name.simple):
            raise self._error(f"{shown(text)} is not a name; {_NAME_RULE}", f"{at}/name")
        if self._rules == "new" and not are_names(name.namespace):
            where = "name" if "." in text or namespace is None else "namespace"
            raise self._error(f"{shown(name.namespace)} is not a namespace; {_NAME_RULE}", f"{at}/{where}")
        if name.full in PRIMITIVES:
            raise self._error(
                f"{name.full} is a primitive type and cannot be defined; give it a namespace", f"{at}/name"
            )
        return name

    # Fields

    def _field(self, node: Json, namespace: str, at: str, depth: int, index: int) -> Field:
        name = node.get("name") if isinstance(node, dict) else None
        if not isinstance(node, dict) or not isinstance(name, str):
            raise self._error("a field is an object with a name and a type", at)
        if not is_name(name):
            raise self._error(f"{shown(name)} is not a name; {_NAME_RULE}", f"{at}/name")
        if "type" not in node:
            raise self._error(f"field {name} has no type", at)
        type_ = self._type(node["type"], namespace, f"{at}/type", depth + 1)
        if len(node) == 2:
            # A name and a type, as most fields are.
            field = Field(name=name, type=type_, index=index, pointer=at)
            self._holders.append(field)
            return field
        props = _props(node, _RESERVED_FIELD)
        if props and type_.logical is None and isinstance(props.get("logicalType"), str):
            self._warn("logicalType stands beside the type and is ignored; move it into the type", f"{at}/logicalType")
        field = Field(
            name=name, type=type_, doc=self._optional(node, "doc", at), default=self._default(node, type_, at),
            order=self._order(node, at), aliases=tuple(dict.fromkeys(self._aliases(node, at))), props=props,
            index=index, pointer=at,
        )  # fmt: skip
        self._holders.append(field)
        return field

    def _default(self, node: _Object, type_: Type, at: str) -> Json | Missing:
        default: Json = node.get("default")
        if not isinstance(default, str) or type_.kind not in ("float", "double"):
            return default if "default" in node else MISSING
        value = number(default)
        if value is None:
            reason = f"invalid default for field {node['name']}: {shown(default)} is not a {type_.kind}"
            raise self._error(reason, f"{at}/default")
        return value

    def _order(self, node: _Object, at: str) -> _Order:
        if "order" not in node:
            return "ascending"
        order = node["order"]
        lower = order.lower() if isinstance(order, str) and order.isascii() else ""
        if lower not in _ORDERS:
            raise self._error(f"{shown(order)} is not an order; write ascending, descending or ignore", f"{at}/order")
        return cast(_Order, lower)

    def _aliases(self, node: _Object, at: str) -> list[str]:
        if "aliases" not in node:
            return []
        aliases = node["aliases"]
        if not isinstance(aliases, list) or not all(isinstance(alias, str) for alias in aliases):
            raise self._error("aliases is a list of strings", f"{at}/aliases")
        return aliases

    # References

    def _reference(self, text: str, namespace: str, at: str) -> Type:
        if text in PRIMITIVES:
            return Primitive(kind=cast(PrimitiveKind, text), pointer=at)
        name = qualify(text, namespace)
        found = self._scope.find(name.full) or self._scope.find(text)
        if found is not None:
            return found
        self._has_forward = True
        return _Forward(name=name, pointer=at)

    def _settle_all(self, root: Type) -> Type:
        for holder in self._holders:
            match holder:
                case Array():
                    holder.items = self._settle(holder.items)
                case Map():
                    holder.values = self._settle(holder.values)
                case Field():
                    holder.type = self._settle(holder.type)
                case Union():
                    holder.branches = tuple(map(self._settle, holder.branches))
                    self._check_union(holder)
        return self._settle(root)

    def _settle(self, type_: Type) -> Type:
        if not isinstance(type_, _Forward):
            return type_
        full = type_.name.full
        found = self._scope.named.get(full)
        if found is None:
            meant = nearest(full, [*self._scope.names(), *PRIMITIVES])
            hint = f"; did you mean '{meant}'?" if meant else "; define it, or give the schema that defines it"
            raise self._error(f"unknown type '{full[:200]}'{hint}", type_.pointer)
        self._warn(f"{full} is used before it is defined; older readers of schemas refuse this", type_.pointer)
        return found

    # Judging and reporting

    def _judge_defaults(self) -> None:
        defaults = Defaults()
        for holder in self._holders:
            if not isinstance(holder, Field) or holder.default is MISSING:
                continue
            at = f"{holder.pointer}/default"
            try:
                fault = defaults.fault(holder)
            except TooMuch as limit:
                raise self._error(str(limit.__doc__), at, SchemaLimit) from None
            if fault:
                raise self._error(f"invalid default for field {holder.name}: {fault.reason}", at + fault.pointer)

    def _logical(self, kind: str, props: _Object, at: str, *, size: int = 0) -> Logical | None:
        if "logicalType" not in props:
            return None
        result = logical.read(kind, props=props, size=size)
        if isinstance(result, str):
            self._warn(f"{result}; it is read as {kind}", f"{at}/logicalType")
            return None
        return result

    def _optional(self, node: _Object, key: str, at: str) -> str | None:
        value = node.get(key)
        if isinstance(value, str):
            return value
        if key in node:
            self._warn(f"{key} is not a string and is ignored", f"{at}/{key}")
        return None

    def _warn(self, reason: str, pointer: str) -> None:
        self._warnings.append(Notice(pointer, reason))

    def _error(self, reason: str, pointer: str, kind: type[SchemaError] = SchemaError) -> SchemaError:
        span = jsontext.Places(self._text)[pointer][1]
        return kind(reason, path=self._path, line=span.line, column=span.column, pointer=pointer)


_NAME_RULE: Final = "names are ASCII letters, digits and _, and do not begin with a digit"


def _props(node: _Object, reserved: frozenset[str]) -> dict[str, Json]:
    # Most objects have none: asked in C, once for the whole.
    return {} if reserved.issuperset(node) else {key: value for key, value in node.items() if key not in reserved}


def _untyped(node: _Object) -> str:
    if "type" not in node:
        return "a schema object needs a type"
    return "the type of a schema object is a name; only a field's type may be an object or a list"
