"""From a resolution and the classes to a plan: everything about a (class, writer schema) pair, decided once."""

from __future__ import annotations

from typing import Any, Final

from treaty_avro.errors import ResolutionError, SchemaLimit
from treaty_avro.plan import branches, construct
from treaty_avro.plan.binding import Binding
from treaty_avro.plan.construct import Factory, UnusableDefault
from treaty_avro.plan.cost import finished
from treaty_avro.plan.nodes import AGAIN, KEEP, PRIVATE, Node, Op, Plan
from treaty_avro.plan.resolve import (
    Action,
    Branches,
    Chosen,
    Items,
    Mismatch,
    Resolution,
    Scalar,
    Steps,
    Symbols,
    Unreadable,
    failure_of,
)
from treaty_avro.schema.model import Field, Fixed, Primitive, Record, Union
from treaty_avro.values.decimals import MAX_PRECISION
from treaty_avro.values.meaning import Meaning, Requantized, Scaled, meaning_of
from treaty_avro.values.tagged import is_tagged, tag

_PRIMITIVES: Final = {
    "null": Op.NULL,
    "boolean": Op.BOOL,
    "int": Op.INT,
    "long": Op.LONG,
    "float": Op.FLOAT,
    "double": Op.DOUBLE,
    "bytes": Op.BYTES,
    "string": Op.STRING,
}


def decoder_plan(resolution: Resolution, binding: Binding) -> Plan:
    """How the writer's bytes become values of the binding.

    Raises ``ClassMismatch``, ``ResolutionError`` for a default that cannot be used, ``SchemaLimit``.
    """
    return _planned(resolution, binding, is_encoder=False)


def encoder_plan(resolution: Resolution, binding: Binding) -> Plan:
    """How values of the binding become bytes; the resolution is of a schema with itself. Raises ``ClassMismatch``."""
    return _planned(resolution, binding, is_encoder=True)


def _planned(resolution: Resolution, binding: Binding, *, is_encoder: bool) -> Plan:
    planner = _Planner(binding, is_encoder=is_encoder)
    try:
        root = planner.node(resolution.action, is_raw=False)
        return finished(root, planner.nodes, tuple(planner.consts), planner.cyclic)
    except RecursionError:
        raise SchemaLimit("types are nested too deep for the stack that is left; compile them higher up") from None


class _Planner:
    """Nodes as they are met; records keep their place while their fields are planned, for they may hold themselves."""

    def __init__(self, binding: Binding, *, is_encoder: bool) -> None:
        self._binding = binding
        self._is_encoder = is_encoder
        self.nodes: list[Node] = []
        self.consts: list[Any] = []
        self.cyclic: set[int] = set()
        self._interned: dict[Node, int] = {}
        self._const_places: dict[int, int] = {}
        self._records: dict[tuple[int, bool], int] = {}
        self._open: set[int] = set()

    def node(self, action: Action, *, is_raw: bool) -> int:
        """Place of an action's node; ``is_raw``: only its bytes matter, not its value."""
        failure = failure_of(action)
        if failure is not None:
            return self._add(Op.ERROR, self._const(failure))
        match action:
            case Scalar():
                return self._scalar(action, is_raw=is_raw)
            case Symbols():
                members = (
                    symbol if is_raw or isinstance(symbol, Unreadable) else self._binding.member(action.reader, symbol)
                    for symbol in action.symbols
                )
                return self._add(Op.ENUM, self._const(tuple(members)))
            case Items():
                op = Op.ARRAY if action.kind == "array" else Op.MAP
                return self._add(op, self.node(action.child, is_raw=is_raw), 0, 0)
            case Chosen():
                return self._chosen(action, is_raw=is_raw)
            case Branches():
                return self._union(action, is_raw=is_raw)
            case Steps():
                return self._record(action, is_raw=is_raw)
        return self._add(Op.ERROR, self._const(action))

    def _scalar(self, action: Scalar, *, is_raw: bool) -> int:
        writer, reader = action.writer, action.reader
        meaning = None if is_raw else meaning_of(reader.logical)
        if isinstance(writer, Fixed):
            cls = (
                None if is_raw or meaning is not None or not isinstance(reader, Fixed) else self._binding.fixed(reader)
            )
            child = self._add(Op.FIXED, writer.size, -1 if cls is None else self._const(cls))
        else:
            child = self._primitive(writer, reader, is_raw=is_raw)
        if isinstance(action.conversion, Scaled) and not is_raw:
            child = self._add(Op.COERCE, child, 0, action.conversion.times, action.conversion.over)
        if isinstance(action.conversion, Requantized) and not is_raw:
            source, target = action.conversion.writer, action.conversion.reader
            child = self._meant(child, Meaning.DECIMAL, source.precision, source.scale)
            return self._add(Op.COERCE, child, 1, target.precision, target.scale)
        if meaning is None or reader.logical is None:
            return child
        if meaning is Meaning.DURATION and isinstance(reader, Fixed):
            return self._meant(child, meaning, self._const(self._binding.duration(reader)), 0)
        return self._meant(child, meaning, reader.logical.precision, reader.logical.scale)

    def _primitive(self, writer: Primitive, reader: Primitive | Fixed, *, is_raw: bool) -> int:
        kinds = (writer.kind, reader.kind)
        if kinds in (("bytes", "string"), ("string", "bytes")):
            return self._add(_PRIMITIVES[reader.kind])
        child = self._add(_PRIMITIVES[writer.kind])
        if writer.kind in ("int", "long") and reader.kind in ("float", "double") and not is_raw:
            return self._add(Op.PROMOTE, child, _PRIMITIVES[writer.kind], _PRIMITIVES[reader.kind])
        return child

    def _meant(self, child: int, meaning: Meaning, a: int, b: int) -> int:
        if meaning is Meaning.DECIMAL and a > MAX_PRECISION:
            raise SchemaLimit(f"a decimal of {a} digits; up to {MAX_PRECISION} are compiled")
        return self._add(Op.LOGICAL, child, meaning, a, b)

    def _chosen(self, action: Chosen, *, is_raw: bool) -> int:
        child = self.node(action.child, is_raw=is_raw)
        branch = action.union.branches[action.index]
        is_told = self._binding.is_generic and is_tagged(action.union) and branch.kind != "null"
        if is_raw or self._is_encoder or not is_told:
            return child
        return self._add(Op.TAG, child, self._const(tag(branch)))

    def _union(self, action: Branches, *, is_raw: bool) -> int:
        children = tuple(self.node(child, is_raw=is_raw) for child in action.children)
        nulls = [i for i, child in enumerate(children) if self.nodes[child] == (Op.NULL,)]
        if len(children) == 2 and len(nulls) == 1:
            return self._add(Op.OPTIONAL, nulls[0], children[1 - nulls[0]])
        if not self._is_encoder:
            return self._add(Op.UNION, children, -1, -1)
        first = action.children[0] if action.children else None
        union = first.union if isinstance(first, Chosen) else Union(branches=())
        classes = self._const(branches.table(union, self._binding))
        names = self._const(tuple(map(tag, union.branches))) if self._binding.is_generic else -1
        return self._add(Op.UNION, children, classes, names)

    def _record(self, action: Steps, *, is_raw: bool) -> int:
        key = (id(action), is_raw)
        place = self._records.get(key)
        if place is not None:
            if place in self._open:
                self.cyclic.add(place)
            return place
        place = self._records[key] = len(self.nodes)
        self.nodes.append(())
        self._open.add(place)
        cls = -1 if is_raw else self._const(self._binding.record(action.reader))
        fields = []
        for step in action.steps:
            if step.target is None or is_raw:
                child = self.node(step.child, is_raw=True)
                fields.append((step.name, child if is_raw else self._add(Op.SKIP, child), 0))
            else:
                attribute = self._binding.attribute(action.reader, step.target.name)
                flags = KEEP | AGAIN * step.is_read_again | PRIVATE * _is_private(step.target)
                fields.append((attribute, self.node(step.child, is_raw=False), flags))
        defaults = () if is_raw else tuple(self._default(action.reader, field) for field in action.missing)
        self.nodes[place] = (Op.RECORD, cls, tuple(fields), defaults)
        self._open.discard(place)
        return place

    def _default(self, record: Record, field: Field) -> tuple[str, int, int]:
        attribute = self._binding.attribute(record, field.name)
        try:
            default = construct.value(field.type, field.default, self._binding)
        except UnusableDefault as error:
            place = Mismatch(f"/fields/{field.index}", f"the default of {field.name} is unusable: {error}")
            raise ResolutionError(record.name.full, incompatibilities=[place]) from None
        if default.is_fresh:
            return attribute, self._const(Factory(field.type, field.default, self._binding)), default.count
        return attribute, self._const(default.value), 0

    def _add(self, *node: Any) -> int:
        if node not in self._interned:
            self._interned[node] = len(self.nodes)
            self.nodes.append(node)
        return self._interned[node]

    def _const(self, value: Any) -> int:
        if id(value) not in self._const_places:
            self._const_places[id(value)] = len(self.consts)
            self.consts.append(value)
        return self._const_places[id(value)]


def _is_private(field: Field) -> bool:
    ours = field.props.get("treaty")
    return "treaty.pii" in field.props or (isinstance(ours, dict) and "pii" in ours)
