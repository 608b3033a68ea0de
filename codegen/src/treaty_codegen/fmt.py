"""One layout for every schema file: two spaces, one key a line, keys in one order. Texts and numbers stay as they were typed.

Order of keys: docs/adr/0008.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

Node: TypeAlias = "str | list[Node] | dict[str, Node]"
"""A JSON value: a scalar is its own text, quotes included; the keys of an object are theirs."""

TYPE_ORDER: Final = (
    "type", "namespace", "name", "doc", "symbols", "items", "values", "fields", "size", "logicalType", "precision", "scale",
    "default", "aliases", "treaty",
)  # fmt: skip
FIELD_ORDER: Final = ("name", "type", "doc", "default", "aliases", "treaty")
_TOKEN: Final = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[][{}:,]|[^][{}:,"\s]+)')


def formatted(text: str) -> str:
    """A schema text in the one layout, ending with one newline. The text must be JSON: whoever calls has parsed it."""
    return "".join(lines(arranged(tree(text)), "")) + "\n"


def tree(text: str) -> Node:
    """The text as a tree of its own pieces."""
    return node(piece[1] for piece in _TOKEN.finditer(text))


def node(tokens: Iterator[str], first: str | None = None) -> Node:
    """The next value."""
    piece = next(tokens) if first is None else first
    if piece == "[":
        return list(items(tokens))
    if piece == "{":
        return dict(members(tokens))
    return piece


def items(tokens: Iterator[str]) -> Iterator[Node]:
    """The values of an array whose bracket is open."""
    while (piece := next(tokens)) != "]":
        if piece != ",":
            yield node(tokens, piece)


def members(tokens: Iterator[str]) -> Iterator[tuple[str, Node]]:
    """The members of an object whose brace is open."""
    while (piece := next(tokens)) != "}":
        if piece != ",":
            next(tokens)
            yield piece, node(tokens)


def arranged(value: Node, *, is_field: bool = False) -> Node:
    """Types and fields with their keys in order; a default, and what is not ours, is left as it is."""
    if isinstance(value, list):
        return [arranged(each) for each in value]
    if isinstance(value, str):
        return value
    order = FIELD_ORDER if is_field else TYPE_ORDER
    return {key: inside(key, value[key]) for key in sorted_keys(value, order)}


def inside(key: str, value: Node) -> Node:
    """The value under a key of a type or field."""
    if key == '"fields"' and isinstance(value, list):
        return [arranged(each, is_field=True) for each in value]
    if key in {'"type"', '"items"', '"values"'}:
        return arranged(value)
    return value


def sorted_keys(value: dict[str, Node], order: Sequence[str]) -> list[str]:
    """Known keys first, in their order; then the others as they came."""
    rank = {f'"{key}"': number for number, key in enumerate(order)}
    return sorted(value, key=lambda key: rank.get(key, len(rank)))


def lines(value: Node, indent: str) -> Iterator[str]:
    """The pieces of a value's text; ``indent`` is that of the line on which it begins."""
    deeper = f"{indent}  "
    if isinstance(value, str) or not value:
        yield value if isinstance(value, str) else "[]" if isinstance(value, list) else "{}"
        return
    rows = (
        [("", each) for each in value]
        if isinstance(value, list)
        else [(f"{key}: ", each) for key, each in value.items()]
    )
    yield "[" if isinstance(value, list) else "{"
    for number, (start, each) in enumerate(rows):
        yield f"{',' if number else ''}\n{deeper}{start}"
        yield from lines(each, deeper)
    yield f"\n{indent}{']' if isinstance(value, list) else '}'}"
