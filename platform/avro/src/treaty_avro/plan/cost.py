"""What an item takes at least (bytes) and makes at most (values); which records are functions of their own.

Law: what data makes is paid before it is made. A record behind a REF pays when it is entered, so costs end there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from treaty_avro.plan.nodes import AGAIN, Node, Op, Plan, children, with_children

_INLINE_NODES: Final = 12
"""A record used in several places is its own function above this size; else shared records double at each level."""

_WIDTHS: Final = {Op.NULL: 0, Op.FLOAT: 4, Op.DOUBLE: 8, Op.ERROR: 0}
_THROUGH: Final = (Op.LOGICAL, Op.PROMOTE, Op.COERCE, Op.SKIP, Op.TAG, Op.REF)


def finished(root: int, nodes: Sequence[Node], consts: tuple[Any, ...], cyclic: set[int]) -> Plan:
    """The plan of raw nodes: records on a cycle, and larger shared ones, behind REF; arrays and maps with their figures.

    ``cyclic``: records that hold themselves.
    """
    targets = sorted(_shared(root, nodes, cyclic) | cyclic)
    places = {target: len(nodes) + n for n, target in enumerate(targets)}
    linked = [with_children(node, lambda child: places.get(child, child)) for node in nodes]
    linked += [(Op.REF, target, 0) for target in targets]
    figures = _Figures(linked)
    return Plan(places.get(root, root), tuple(map(figures.filled, linked)), consts)


def _shared(root: int, nodes: Sequence[Node], cyclic: set[int]) -> set[int]:
    uses = dict.fromkeys(range(len(nodes)), 0)
    for node in nodes:
        for child in children(node):
            uses[child] += 1
    uses[root] += 1
    sizes: dict[int, int] = dict.fromkeys(cyclic, 1)
    found: set[int] = set()

    def size(place: int) -> int:
        if place not in sizes:
            total = 1 + sum(map(size, children(nodes[place])))
            if nodes[place][0] is Op.RECORD and uses[place] > 1 and total > _INLINE_NODES:
                found.add(place)
                total = 1
            sizes[place] = total
        return sizes[place]

    for place in range(len(nodes)):
        size(place)
    # The children of records on a cycle are measured as the others are.
    for place in cyclic:
        for child in children(nodes[place]):
            size(child)
    return found - cyclic


class _Figures:
    """Least bytes and costs, remembered by node."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes
        self._widths: dict[int, int] = {}
        self._costs: dict[int, int] = {}

    def filled(self, node: Node) -> Node:
        match node[0]:
            case Op.ARRAY:
                return (Op.ARRAY, node[1], self.width(node[1]), self.cost(node[1]))
            case Op.MAP:
                return (Op.MAP, node[1], self.width(node[1]) + 1, self.cost(node[1]) + 1)
            case Op.REF:
                return (Op.REF, node[1], self.cost(node[1]))
        return node

    def width(self, place: int) -> int:
        """Least bytes. A record that directly holds itself has no finite value; any figure will do for it."""
        if place not in self._widths:
            self._widths[place] = 0
            self._widths[place] = self._width(self._nodes[place])
        return self._widths[place]

    def _width(self, node: Node) -> int:
        op = node[0]
        if op is Op.FIXED:
            return int(node[1])
        if op in _THROUGH:
            return self.width(node[1])
        if op is Op.UNION:
            return 1 + min(map(self.width, node[1]), default=0)
        if op is Op.RECORD:
            # A field that is read again takes its bytes once.
            return sum(self.width(child) for _, child, flags in node[2] if not flags & AGAIN)
        return _WIDTHS.get(op, 1)

    def cost(self, place: int) -> int:
        """Values made; an array's or map's items and a REF's record pay for themselves."""
        if place not in self._costs:
            self._costs[place] = self._cost(self._nodes[place])
        return self._costs[place]

    def _cost(self, node: Node) -> int:
        match node[0]:
            case Op.REF:
                return 0
            case Op.LOGICAL | Op.PROMOTE | Op.COERCE | Op.SKIP | Op.TAG:
                return self.cost(node[1])
            case Op.OPTIONAL:
                return max(self.cost(node[2]), 1)
            case Op.UNION:
                return max(map(self.cost, node[1]), default=0)
            case Op.RECORD:
                built: int = sum(made for _, _, made in node[3])
                return 1 + sum(self.cost(child) for _, child, _ in node[2]) + built
        return 1
