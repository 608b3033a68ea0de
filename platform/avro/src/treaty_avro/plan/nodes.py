"""The nodes of a plan: what to do with the bytes of a writer's schema, or with the values of a class.

``nodes`` are tuples of an ``Op`` and its operands; they name other nodes and ``consts`` by index. Equal input gives an
equal plan. Operands (indexes of consts in braces):

- NULL BOOL INT LONG FLOAT DOUBLE BYTES STRING: none; FIXED: size, {class} or -1
- ENUM: {tuple of members by the writer's index, an ``Unreadable`` where there is none}
- ARRAY, MAP: child, least bytes of an item, cost of an item
- OPTIONAL: index of null, child; UNION: children, {class → branch} or -1, {names of the branches} or -1 (encoding)
- RECORD: {class} or -1 (skipped), ((attribute, child, flags)…), ((attribute, {value or factory}, values it builds)…)
- REF: node of a record that is its own function, its cost
- LOGICAL: child, ``Meaning``, a, b (decimal: precision, scale; duration: a is {what builds it})
- PROMOTE: child, from op, to op; SKIP: child; TAG: child, {name}; ERROR: {``Unreadable``}
- COERCE: child, 0, times, over (numbers) or child, 1, precision, scale (decimals)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, TypeAlias


class Op(IntEnum):
    """What a node does; the numbers stand in plans."""

    NULL = 0
    BOOL = 1
    INT = 2
    LONG = 3
    FLOAT = 4
    DOUBLE = 5
    BYTES = 6
    STRING = 7
    FIXED = 8
    ENUM = 9
    ARRAY = 10
    MAP = 11
    OPTIONAL = 12
    UNION = 13
    RECORD = 14
    REF = 15
    LOGICAL = 16
    PROMOTE = 17
    COERCE = 18
    SKIP = 19
    ERROR = 20
    TAG = 21


KEEP: Final = 1
"""Flag of a record's field: its value is kept."""
AGAIN: Final = 2
"""Flag: the next field reads the same bytes once more."""
PRIVATE: Final = 4
"""Flag: personal data; no message shows it."""

Node: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Nodes, the objects that they name, and the node to begin with."""

    root: int
    nodes: tuple[Node, ...]
    consts: tuple[Any, ...]
    version: int = 1


def children(node: Node) -> Iterator[int]:
    """Places of the nodes that a node names, in order; a REF's target counts."""
    match node[0]:
        case Op.ARRAY | Op.MAP | Op.REF | Op.LOGICAL | Op.PROMOTE | Op.COERCE | Op.SKIP | Op.TAG:
            yield node[1]
        case Op.OPTIONAL:
            yield node[2]
        case Op.UNION:
            yield from node[1]
        case Op.RECORD:
            yield from (child for _, child, _ in node[2])


def with_children(node: Node, place: Callable[[int], int]) -> Node:
    """The same node with each child's place changed."""
    match node[0]:
        case Op.ARRAY | Op.MAP | Op.LOGICAL | Op.PROMOTE | Op.COERCE | Op.SKIP | Op.TAG:
            return (node[0], place(node[1]), *node[2:])
        case Op.OPTIONAL:
            return (Op.OPTIONAL, node[1], place(node[2]))
        case Op.UNION:
            return (Op.UNION, tuple(map(place, node[1])), *node[2:])
        case Op.RECORD:
            return (Op.RECORD, node[1], tuple((name, place(child), flags) for name, child, flags in node[2]), node[3])
    return node
