"""The straight-line decoder's source: index arithmetic on bytes, objects filled in place.

Laws: counts are paid for before their loop; whatever is odd raises here, and the slow decoder finds out why.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from treaty_avro.plan.nodes import Node, Op, Plan
from treaty_avro.straightline.depth import Depth
from treaty_avro.straightline.emit_encode import Odd
from treaty_avro.straightline.read_objects import Objects
from treaty_avro.straightline.read_scalars import ONE_BYTE, Scalars
from treaty_avro.straightline.source import Source
from treaty_avro.values import wire
from treaty_avro.values.decimals import rescaled, shifted, sure_length
from treaty_avro.values.durations import as_tuple
from treaty_avro.values.meaning import Meaning, reader_of
from treaty_avro.values.tagged import Tagged
from treaty_avro.values.wire import Limits

_WIDE: Final = 80
_CHAIN: Final = 50

_NAMES: Final[dict[str, Any]] = {
    "RI": wire.read_int,
    "RL": wire.read_long,
    "RT": wire.read_instant,
    "RN": wire.read_length,
    "RX": wire.read_index,
    "RB": wire.read_block,
    "UF": wire.unpack_float,
    "UD": wire.unpack_double,
    "NF": wire.nearest_float,
    "AB": wire.as_bytes,
    "B": (False, True),
    "NEW": object.__new__,
    "DS": shifted,
    "IB": int.from_bytes,
    "BIG": "big",
    "bytes": bytes,
    "Tagged": Tagged,
    "Odd": Odd,
}


def decoder_source(plan: Plan, *, limits: Limits, explain: Callable[[object, int, Exception], Exception]) -> Source:
    """Source whose ``decode(data, start=0)`` gives a value, or raises what ``explain`` returns."""
    return _Emitter(plan, limits, Source(**_NAMES, explain=explain)).module()


class _Emitter:
    def __init__(self, plan: Plan, limits: Limits, source: Source) -> None:
        self._plan = plan
        self._limits = limits
        self._source = source
        self._functions: dict[tuple[int, bool], str] = {}
        self._waiting: list[tuple[int, bool]] = []
        self._depth = Depth(source, most=limits.max_depth)
        self._scalars = Scalars(plan, source)
        self._objects = Objects(plan, source, self.value)
        self._is_skipping = False
        self._has_budget = False

    def module(self) -> Source:
        source = self._source
        with source.function("def decode(data, start=0):"):
            with source.block("try:"):
                source.line("b = data if type(data) is bytes else AB(data)")
                source.line("i = start")
                source.line("if i < 0: raise Odd")
                begin = len(source.lines)
                self.value(self._plan.root, "o")
                if self._functions or self._has_budget:
                    head = f"z = len(b); q = [{self._limits.max_values}, {self._limits.max_zero_width}]"
                    source.lines.insert(begin, "    " * source.indent + head)
                source.line("if i != len(b): raise Odd")
                source.line("return o")
            with source.block("except Exception as error:"):
                source.line("raise explain(data, start, error) from None")
        while self._waiting:
            self._function(*self._waiting.pop())
        return source

    def _function(self, place: int, is_skipping: bool) -> None:  # the pair is the key
        source, self._is_skipping = self._source, is_skipping
        self._depth.begin_function()
        with source.function(f"def {self._functions[place, is_skipping]}(b, i, d, q):"):
            source.line("z = len(b)")
            node = self._plan.nodes[place]
            if node[0] is Op.REF:
                source.line(f"q[0] -= {node[2]}")
                source.line("if q[0] < 0: raise Odd")
                place = node[1]
            self._inline(place, "o")
            source.line(f"return {'None' if is_skipping else 'o'}, i")

    def value(self, place: int, target: str) -> None:
        """Emit what reads a value and assigns it to ``target``, a local name or an attribute of one."""
        node = self._plan.nodes[place]
        is_wide = node[0] is Op.RECORD and len(node[2]) > _WIDE and self._source.indent > 2
        is_deep = node[0] in (Op.ARRAY, Op.MAP, Op.OPTIONAL, Op.UNION) and self._source.is_full()
        if node[0] is Op.REF or is_wide or is_deep:
            key = (place, self._is_skipping)
            if key not in self._functions:
                self._functions[key] = self._source.fresh("f")
                self._waiting.append(key)
            self._source.line(f"{target}, i = {self._functions[key]}(b, i, {self._depth.text()}, q)")
        else:
            self._inline(place, target)

    def _inline(self, place: int, target: str) -> None:
        node = self._plan.nodes[place]
        match node[0]:
            case Op.ARRAY | Op.MAP:
                self._items(node, target)
            case Op.OPTIONAL:
                self._optional(node, target)
            case Op.UNION:
                self._union(node, target)
            case Op.RECORD:
                self._depth.enter()
                self._objects.emit(node, target)
                self._depth.leave()
            case Op.LOGICAL | Op.PROMOTE | Op.COERCE | Op.SKIP | Op.TAG:
                self._changed(node, target)
            case _:
                self._scalars.emit(node, target, is_skipping=self._is_skipping)

    def _optional(self, node: Node, target: str) -> None:
        source, byte = self._source, self._source.fresh()
        _, null, child = node
        source.line(f"{byte} = b[i]; i += 1")
        with source.block(f"if {byte} == {(1 - null) * 2}:"):
            self.value(child, target)
        source.line(f"elif {byte} == {null * 2}: {target} = None")
        source.line("else: raise Odd")

    def _union(self, node: Node, target: str) -> None:
        source, index = self._source, self._source.fresh()
        source.line(f"{index}, i = RX(b, i)" if len(node[1]) > ONE_BYTE else f"{index} = b[i]; i += 1")
        step = 1 if len(node[1]) > ONE_BYTE else 2
        for branch, child in enumerate(node[1]):
            with source.block(f"{'elif' if branch % _CHAIN else 'if'} {index} == {branch * step}:"):
                self.value(child, target)
        source.line(f"if {index} > {(len(node[1]) - 1) * step}{f' or {index} & 1' if step == 2 else ''}: raise Odd")

    def _items(self, node: Node, target: str) -> None:
        source = self._source
        is_map = node[0] is Op.MAP
        items = target if target.isidentifier() else source.fresh()
        count, end = source.fresh(), source.fresh()
        self._has_budget = True
        if not self._is_skipping:
            source.line(f"{items} = {'{}' if is_map else '[]'}")
        source.line(f"{count} = b[i]; i += 1")
        with source.block(f"while {count}:", is_loop=True):
            source.line(f"if {count} & 129: {count}, i, {end} = RB(b, i - 1)")
            source.line(f"else: {count} >>= 1; {end} = -1")
            self._afford(node, count)
            if self._is_skipping:
                source.line(f"if {end} >= 0: i = {end}; {count} = 0")
            with source.block(f"for {source.fresh()} in range({count}):", is_loop=True):
                self._item(node, items)
            source.line(f"if {end} >= 0 and i != {end}: raise Odd")
            source.line(f"{count} = b[i]; i += 1")
        if not self._is_skipping and items != target:
            source.line(f"{target} = {items}")

    def _afford(self, node: Node, count: str) -> None:
        source = self._source
        if node[2]:
            source.line(f"if {_times(count, node[2])} > z - i: raise Odd")
        else:
            source.line(f"q[1] -= {count}")
            source.line("if q[1] < 0: raise Odd")
        if node[3]:
            source.line(f"q[0] -= {_times(count, node[3])}")
            source.line("if q[0] < 0: raise Odd")

    def _item(self, node: Node, items: str) -> None:
        source, item = self._source, self._source.fresh()
        if node[0] is Op.MAP:
            key = source.fresh()
            self._scalars.emit((Op.STRING,), key, is_skipping=self._is_skipping)
            self.value(node[1], item if self._is_skipping else f"{items}[{key}]")
            return
        self.value(node[1], item)
        if not self._is_skipping:
            source.line(f"{items}.append({item})")

    def _changed(self, node: Node, target: str) -> None:
        source, child = self._source, node[1]
        if node[0] is Op.SKIP:
            self._is_skipping, before = True, self._is_skipping
            self.value(child, source.fresh())
            self._is_skipping = before
        elif node[0] is Op.LOGICAL:
            self._logical(node, target)
        else:
            raw = source.fresh()
            self.value(child, raw)
            if node[0] is Op.TAG:
                source.line(f"{target} = Tagged({self._const(node[2])}, {raw})")
            elif node[0] is Op.PROMOTE:
                source.line(f"{target} = {'NF' if node[3] == Op.FLOAT else 'float'}({raw})")
            else:
                source.line(f"{target} = {source.const(_coercion(*node[2:]))}({raw})")

    def _logical(self, node: Node, target: str) -> None:
        source = self._source
        _, child, meaning, a, b = node
        base = self._plan.nodes[child]
        make = self._plan.consts[a] if meaning is Meaning.DURATION else as_tuple
        read = source.const(reader_of(meaning, a, b, size=base[1] if base[0] is Op.FIXED else -1, make=make))
        if base[0] is Op.STRING and not self._is_skipping:
            # Only UUIDs stand on strings; they have 36 characters, in Avro's zig-zag 72.
            source.line("if b[i] != 72: raise Odd")
            source.line(f"i += 37; {target} = {read}(b[i - 36:i])")
            return
        if base[0] in (Op.BYTES, Op.STRING, Op.FIXED):
            data = self._scalars.sliced(base)
            made = f"{read}({data})"
            if meaning is Meaning.DECIMAL and base[0] is Op.BYTES:
                quick = f"DS(IB({data}, BIG, signed=True), {source.const(Decimal(-b))})"
                made = f"{quick} if 0 < i - {data[2:-3]} <= {sure_length(a)} else {made}"
            source.line(f"{target} = {made}")
            return
        raw = source.fresh()
        if base[0] is Op.LONG:
            source.line(f"{raw}, i = RT(b, i)")
        else:
            self.value(child, raw)
        source.line(f"{target} = {read}({raw})")

    def _const(self, place: int) -> str:
        return self._source.const(self._plan.consts[place])


def _times(count: str, factor: int) -> str:
    return count if factor == 1 else f"{count} * {factor}"


def _coercion(kind: int, a: int, b: int) -> Callable[[Any], Any]:
    if kind == 1:
        return lambda value: rescaled(value, a, b)

    def scaled(raw: int) -> int:
        value = raw * a // b
        if not wire.LONG_MIN <= value <= wire.LONG_MAX:
            raise Odd
        return value

    return scaled
