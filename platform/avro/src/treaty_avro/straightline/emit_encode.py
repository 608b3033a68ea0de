"""The straight-line encoder's source: each value becomes pieces, and one join makes the message.

Laws: what the fast source lets pass, the slow encoder writes to the same bytes; whatever is odd raises here, and the slow
encoder finds out why. Pieces are expressions over names that nothing assigns again, so they may stand until the join.
"""

from __future__ import annotations

from binascii import hexlify
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from treaty_avro.interpret.encoding import encode_part
from treaty_avro.plan.branches import branch_of
from treaty_avro.plan.nodes import Node, Op, Plan
from treaty_avro.straightline.depth import Depth
from treaty_avro.straightline.source import Source, is_plain
from treaty_avro.values import uuids, wire
from treaty_avro.values.meaning import Meaning, sized_writer_of, writer_of
from treaty_avro.values.tagged import Tagged
from treaty_avro.values.wire import Limits, long_bytes

_SPREAD: Final = 3
"""An optional value of up to so many pieces is not joined on its own."""
_WIDE: Final = 80
"""A record of more fields is its own function."""


_CHAIN: Final = 50


class Odd(Exception):  # never seen outside
    """Something that the fast source does not take; the slow encoder or decoder says what."""


def _odd(_: object) -> bytes:
    raise Odd


_NAMES: Final[dict[str, Any]] = {
    "S": wire.SMALL,
    "X": wire.FIRST,
    "F": wire.LAST,
    "LB": long_bytes,
    "IB": wire.instant_bytes,
    "UUID": UUID,
    "HX": hexlify,
    "UP": uuids.PATTERN.translate,
    "UR": uuids.REST,
    "BIG": "big",
    "I": wire.checked_int,
    "L": wire.checked_long,
    "FB": wire.float_bytes,
    "DB": wire.double_bytes,
    "PD": wire.pack_double,
    "PF": wire.pack_float,
    "SE": str.encode,
    "J": b"".join,
    "E": b"",
    "Z": b"\x00",
    "T": b"\x01",
    "BYTES": (bytes, bytearray),
    "LISTS": (list, tuple),
    "bytes": bytes,
    "list": list,
    "dict": dict,
    "int": int,
    "str": str,
    "Tagged": Tagged,
    "Odd": Odd,
    "odd": _odd,
}


def encoder_source(
    plan: Plan, *, prefix: bytes, limits: Limits, explain: Callable[[object, Exception], Exception]
) -> Source:
    """Source whose ``encode(o)`` gives ``prefix`` and the bytes of a value, or raises what ``explain`` returns."""
    return _Emitter(plan, limits, Source(**_NAMES, P=prefix, explain=explain)).module()


class _Emitter:
    def __init__(self, plan: Plan, limits: Limits, source: Source) -> None:
        self._plan = plan
        self._limits = limits
        self._source = source
        self._functions: dict[int, str] = {}
        self._waiting: list[int] = []
        self._depth = Depth(source, most=limits.max_depth)
        self._has_budget = False

    def module(self) -> Source:
        source = self._source
        with source.function("def encode(o):"):
            with source.block("try:"):
                begin = len(source.lines)
                pieces = self.value(self._plan.root, "o")
                if self._functions or self._has_budget:
                    budget = f"q = [{self._limits.max_values}, {self._limits.max_zero_width}]"
                    source.lines.insert(begin, "    " * source.indent + budget)
                source.line(f"return J((P, {_tuple(pieces)}))")
            with source.block("except Exception as error:"):
                source.line("raise explain(o, error) from None")
        while self._waiting:
            self._function(self._waiting.pop())
        return source

    def _function(self, place: int) -> None:
        source = self._source
        self._depth.begin_function()
        with source.function(f"def {self._functions[place]}(o, d, q):"):
            node = self._plan.nodes[place]
            if node[0] is Op.REF:
                source.line(f"q[0] -= {node[2]}")
                source.line("if q[0] < 0: raise Odd")
                place = node[1]
            pieces = self._inline(place, "o")
            source.line(f"return {self._joined(pieces)}")

    def value(self, place: int, expression: str) -> list[str]:
        """Emit what must happen first, and give the pieces of a value."""
        node = self._plan.nodes[place]
        is_wide = node[0] is Op.RECORD and len(node[2]) > _WIDE and self._source.indent > 2
        is_deep = node[0] in (Op.ARRAY, Op.MAP, Op.OPTIONAL, Op.UNION) and self._source.is_full()
        if node[0] is Op.REF or is_wide or is_deep:
            if place not in self._functions:
                self._functions[place] = self._source.fresh("f")
                self._waiting.append(place)
            return [f"{self._functions[place]}({expression}, {self._depth.text()}, q)"]
        return self._inline(place, expression)

    def _inline(self, place: int, expression: str) -> list[str]:
        node = self._plan.nodes[place]
        match node[0]:
            case Op.ARRAY:
                return self._array(node, expression)
            case Op.MAP:
                return self._map(node, expression)
            case Op.OPTIONAL:
                return self._optional(node, expression)
            case Op.UNION:
                return self._union(place, node, expression)
            case Op.RECORD:
                return self._record(node, expression)
            case Op.LOGICAL:
                return self._logical(node, expression)
        return self._scalar(node, expression)

    def _scalar(self, node: Node, expression: str) -> list[str]:
        source = self._source
        if node[0] is Op.STRING:
            return self._sized(f"SE({expression})")
        value = source.bound(expression)
        match node[0]:
            case Op.NULL:
                source.line(f"if {value} is not None: raise Odd")
                return []
            case Op.BOOL:
                return [f"(T if {value} is True else Z if {value} is False else odd({value}))"]
            case Op.INT | Op.LONG:
                checked = "I" if node[0] is Op.INT else "L"
                quick = f"S[{value}] if {value} < 8192 else X[{value} & 8191] + F[{value} >> 13] if {value} < 134217728"
                return [
                    f"({quick} else {checked}({value})) if type({value}) is int and {value} >= 0 else {checked}({value})"
                ]
            case Op.FLOAT:
                return [f"(PF({value}) if type({value}) is float else FB({value}))"]
            case Op.DOUBLE:
                return [f"(PD({value}) if type({value}) is float else DB({value}))"]
            case Op.BYTES:
                source.line(f"if type({value}) is not bytes and not isinstance({value}, BYTES): raise Odd")
                return self._sized(value)
            case Op.FIXED:
                source.line(f"if not isinstance({value}, BYTES) or len({value}) != {node[1]}: raise Odd")
                return [value]
            case Op.ENUM:
                return self._enum(node, value)
        source.line("raise Odd")
        return []

    def _sized(self, expression: str) -> list[str]:
        data, length = self._source.bound(expression), self._source.fresh()
        self._source.line(f"{length} = len({data})")
        return [f"(S[{length}] if {length} < 8192 else LB({length}))", data]

    def _enum(self, node: Node, value: str) -> list[str]:
        members = self._plan.consts[node[1]]
        if not members:
            self._source.line("raise Odd")
            return []
        cls = type(members[0])
        ready: dict[str, bytes] = {}
        for index, member in enumerate(members):
            ready.setdefault(member if cls is str else member.name, long_bytes(index))
        self._source.line(f"if type({value}) is not {self._source.const(cls)}: raise Odd")
        # By name: hashing a text is quicker than hashing a member.
        return [f"{self._source.const(ready)}[{value}{'' if cls is str else '._name_'}]"]

    def _logical(self, node: Node, expression: str) -> list[str]:
        _, child, meaning, a, b = node
        base = self._plan.nodes[child]
        source = self._source
        sized = None if base[0] is Op.FIXED else sized_writer_of(meaning, a, b)
        if sized is not None and meaning is Meaning.UUID:
            value = source.bound(expression)
            quick = f"UP(HX({value}.int.to_bytes(16, BIG)) + UR)"
            return [f"({quick} if type({value}) is UUID else {source.const(sized)}({value}))"]
        if sized is not None:
            return [f"{source.const(sized)}({expression})"]
        write = source.const(writer_of(meaning, a, b, size=base[1] if base[0] is Op.FIXED else -1))
        if base[0] is Op.FIXED:
            return [f"{write}({expression})"]
        return [f"{'IB' if base[0] is Op.LONG else 'LB'}({write}({expression}))"]

    def _optional(self, node: Node, expression: str) -> list[str]:
        source, value = self._source, self._source.bound(expression)
        _, null, child = node
        results = [source.fresh()]
        with source.block(f"if {value} is not None:"):
            pieces = self.value(child, value)
            branch = source.const(long_bytes(1 - null))
            if len(pieces) <= _SPREAD:
                results += [source.fresh() for _ in pieces]
                for result, piece in zip(results, (branch, *pieces), strict=True):
                    source.line(f"{result} = {piece}")
            else:
                source.line(f"{results[0]} = J(({branch}, {_tuple(pieces)}))")
        with source.block("else:"):
            source.line(f"{results[0]} = {source.const(long_bytes(null))}")
            if results[1:]:
                source.line(f"{' = '.join(results[1:])} = E")
        return results

    def _union(self, place: int, node: Node, expression: str) -> list[str]:
        source, value = self._source, self._source.bound(expression)
        _, children, table, names = node
        classes = self._plan.consts[table]
        index, result = source.fresh(), source.fresh()
        single = {cls: branch if isinstance(branch, int) else -1 for cls, branch in classes.items()}
        if names >= 0:
            tags = {name: branch for branch, name in enumerate(self._plan.consts[names])}
            inner = source.fresh()
            with source.block(f"if isinstance({value}, Tagged):"):
                source.line(f"{index} = {source.const(tags)}[{value}.name]; {inner} = {value}.value")
            with source.block("else:"):
                source.line(f"{inner} = {value}")
                self._pick(index, inner, single)
        else:
            inner = value
            self._pick(index, inner, single)
        for branch, child in enumerate(children):
            # A chain of many `elif` is nested deep in CPython's syntax tree.
            with source.block(f"{'elif' if branch % _CHAIN else 'if'} {index} == {branch}:"):
                pieces = [source.const(long_bytes(branch)), *self.value(child, inner)]
                source.line(f"{result} = {self._joined(pieces)}")
        if -1 in single.values():
            self._has_budget = True
            source.line(
                f"if {index} < 0: {result} = {source.const(self._tried(place))}({inner}, {self._depth.text()}, q)"
            )
        return [result]

    def _pick(self, index: str, value: str, single: dict[type, int]) -> None:
        def inherited(cls: type) -> int:
            found = branch_of(single, cls)
            if not isinstance(found, int):
                raise Odd
            return found

        source = self._source
        source.line(f"{index} = {source.const(single.get)}(type({value}))")
        source.line(f"if {index} is None: {index} = {source.const(inherited)}(type({value}))")

    def _tried(self, place: int) -> Callable[[object, int, list[int]], bytes]:
        """Several branches have the value's class; the slow encoder tries them."""
        plan, limits = self._plan, self._limits

        def tried(value: object, depth: int, left: list[int]) -> bytes:
            return encode_part(plan, place, value, limits=limits, depth=depth, left=left)

        return tried

    def _array(self, node: Node, expression: str) -> list[str]:
        source, value = self._source, self._source.bound(expression)
        source.line(f"if type({value}) is not list and not isinstance({value}, LISTS): raise Odd")
        item = source.fresh()

        def loop(out: str) -> None:
            begin = len(source.lines)
            with source.block(f"for {item} in {value}:", is_loop=True):
                pieces = self.value(node[1], item)
                is_expression = len(source.lines) == begin + 1 and len(pieces) == 1 and not pieces[0].endswith("q)")
                source.line(f"{out} += ({_tuple(pieces)})" if pieces else "pass")
            if is_expression:
                del source.lines[begin:]
                source.line(f"{out} += [{pieces[0]} for {item} in {value}]")

        return [self._items(node, value, loop)]

    def _map(self, node: Node, expression: str) -> list[str]:
        source, value = self._source, self._source.bound(expression)
        source.line(f"if type({value}) is not dict and not isinstance({value}, dict): raise Odd")
        key, item = source.fresh(), source.fresh()

        def loop(out: str) -> None:
            with source.block(f"for {key}, {item} in {value}.items():", is_loop=True):
                pieces = [*self._sized(f"SE({key})"), *self.value(node[1], item)]
                source.line(f"{out} += ({_tuple(pieces)})")

        return [self._items(node, value, loop)]

    def _items(self, node: Node, value: str, loop: Callable[[str], None]) -> str:
        source = self._source
        count, out, result = source.fresh(), source.fresh(), source.fresh()
        source.line(f"{count} = len({value})")
        self._has_budget = True
        with source.block(f"if {count}:"):
            if node[3]:
                source.line(f"q[0] -= {count} * {node[3]}")
                source.line("if q[0] < 0: raise Odd")
            if node[2] == 0:
                source.line(f"q[1] -= {count}")
                source.line("if q[1] < 0: raise Odd")
            source.line(f"{out} = [S[{count}] if {count} < 8192 else LB({count})]")
            loop(out)
            source.line(f"{out}.append(Z)")
            source.line(f"{result} = J({out})")
        source.line(f"else: {result} = Z")
        return result

    def _record(self, node: Node, expression: str) -> list[str]:
        source, value = self._source, self._source.bound(expression)
        cls = self._plan.consts[node[1]]
        self._depth.enter()
        if cls is dict:
            source.line(f"if not isinstance({value}, dict) or len({value}) != {len(node[2])}: raise Odd")
        else:
            known = source.const(cls)
            source.line(f"if type({value}) is not {known} and not isinstance({value}, {known}): raise Odd")
        pieces = []
        for name, child, _ in node[2]:
            if cls is dict:
                pieces += self.value(child, f"{value}[{source.const(name)}]")
            elif is_plain(name):
                pieces += self.value(child, f"{value}.{name}")
            else:
                pieces += self.value(child, f"getattr({value}, {source.const(name)})")
        self._depth.leave()
        return pieces

    def _joined(self, pieces: list[str]) -> str:
        return pieces[0] if len(pieces) == 1 else f"J(({_tuple(pieces)}))" if pieces else "E"


def _tuple(pieces: list[str]) -> str:
    return "".join(f"{piece}, " for piece in pieces).rstrip(" ")
