"""Source that reads a value without parts: a number, a text, bytes, a symbol.

Law: a number's first bytes are looked at here, anything longer or negative by ``wire``; a slice may overrun, for then the
index is past the end and the next byte, or the end, fails.
"""

from __future__ import annotations

from typing import Final

from treaty_avro.plan.nodes import Node, Op, Plan
from treaty_avro.plan.resolve import Unreadable
from treaty_avro.straightline.source import Source

ONE_BYTE: Final = 64
"""So many branches or symbols have an index of one byte."""


class Scalars:
    """Emits into one source; ``b`` is the data there and ``i`` the place in them."""

    def __init__(self, plan: Plan, source: Source) -> None:
        """Nodes and constants are the plan's."""
        self._plan, self._source = plan, source

    def emit(self, node: Node, target: str, *, is_skipping: bool) -> None:
        """Emit what reads the value and assigns it to ``target``; a skipped one is only passed."""
        source = self._source
        match node[0]:
            case Op.NULL:
                source.line(f"{target} = None")
            case Op.BOOL:
                source.line(f"{target} = B[b[i]]; i += 1")
            case Op.INT | Op.LONG:
                self._number(node, target)
            case Op.FLOAT:
                source.line(f"{target}, = UF(b, i); i += 4")
            case Op.DOUBLE:
                source.line(f"{target}, = UD(b, i); i += 8")
            case Op.BYTES | Op.STRING:
                data = self.sliced(node)
                if not is_skipping:
                    source.line(f"{target} = {data}{'.decode()' if node[0] is Op.STRING else ''}")
            case Op.FIXED:
                data = self.sliced(node)
                if not is_skipping:
                    source.line(
                        f"{target} = {data if node[2] < 0 else f'{source.const(self._plan.consts[node[2]])}({data})'}"
                    )
            case Op.ENUM:
                self._enum(node, target)
            case _:
                source.line("raise Odd")

    def _number(self, node: Node, target: str) -> None:
        """One to three bytes of what is not negative are read here: up to a million, and no int is too long for them."""
        source = self._source
        a, b, c = source.fresh(), source.fresh(), source.fresh()
        read = f"{target}, i = {'RI' if node[0] is Op.INT else 'RL'}(b, i)"
        source.line(f"{a} = b[i]")
        source.line(f"if not {a} & 129: {target} = {a} >> 1; i += 1")
        source.line(f"elif {a} & 1: {read}")
        with source.block("else:"):
            source.line(f"{b} = b[i + 1]")
            source.line(f"if 0 < {b} < 128: {target} = ({a} >> 1) + {b} * 64 - 64; i += 2")
            with source.block("else:"):
                source.line(f"{c} = b[i + 2] if {b} else 0")
                source.line(f"if 0 < {c} < 128: {target} = ({a} >> 1) + {b} * 64 + {c} * 8192 - 8256; i += 3")
                source.line(f"else: {read}")

    def sliced(self, node: Node) -> str:
        """Read a length where there is one, move on, and give the expression of the bytes passed."""
        source = self._source
        begin, end = source.fresh(), source.fresh()
        if node[0] is Op.FIXED:
            source.line(f"{begin} = i; i += {node[1]}")
            return f"b[{begin}:i]"
        source.line(f"{end} = b[i]")
        source.line(f"if {end} & 129: {end}, {begin} = RN(b, i); i = {begin} + {end}")
        source.line(f"else: {begin} = i + 1; i = {begin} + ({end} >> 1)")
        return f"b[{begin}:i]"

    def _enum(self, node: Node, target: str) -> None:
        source = self._source
        members = self._plan.consts[node[1]]
        is_short = len(members) <= ONE_BYTE
        known = {
            index << is_short: member for index, member in enumerate(members) if not isinstance(member, Unreadable)
        }
        if is_short:
            source.line(f"{target} = {source.const(known)}[b[i]]; i += 1")
        else:
            index = source.fresh()
            source.line(f"{index}, i = RX(b, i)")
            source.line(f"{target} = {source.const(known)}[{index}]")
