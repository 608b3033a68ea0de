"""From what a rule wants of a schema's JSON to edits of its text; what is not touched stays as it was typed.

Laws: two edits of one fix never overlap; a fix that cannot be written down with certainty is none.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from treaty_avro import SchemaError
from treaty_avro.schema import jsontext
from treaty_codegen.finding import Edit, Operation

BEFORE: Final = ("name", "type", "doc")
"""Keys of a field that stand before its default (docs/adr/0008)."""


def edits(text: str, operations: Iterable[Operation]) -> tuple[Edit, ...]:
    """The operations as edits of the text; none at all where one of them cannot be done."""
    try:
        look = look_at(text)
        return tuple(edit for operation in operations for edit in one(operation, look))
    except (KeyError, LookupError, SchemaError, ValueError):
        return ()


@dataclass(frozen=True, slots=True)
class Look:
    """A text, its JSON value, where each part of it stands, and lines as offsets."""

    text: str
    value: Any
    places: jsontext.Places
    offsets: Offsets


@lru_cache(maxsize=4)
def look_at(text: str) -> Look:
    """A text read once for all of its findings: there may be one at each field."""
    return Look(text, jsontext.read(text, path=""), jsontext.Places(text), Offsets(text))


def one(operation: Operation, look: Look) -> Iterator[Edit]:
    """The edits of one operation. Raises ``LookupError`` for a path that is not there, or a place that is not certain."""
    match operation.op:
        case "replace":
            yield over(look.places[operation.path][1], shown(operation.value))
        case "move":
            yield from moved(operation, look)
        case "add":
            yield added(operation, look)
        case "remove":
            yield removed(operation.path, look)


def moved(operation: Operation, look: Look) -> Iterator[Edit]:
    """An item of an array goes to the front; those before it move up by one place each."""
    array, _, number = operation.from_.rpartition("/")
    order = [int(number), *range(int(number))]
    for slot, source in enumerate(order):
        moving = look.offsets.cut(look.text, look.places[f"{array}/{source}"][1])
        yield over(look.places[f"{array}/{slot}"][1], moving)


def added(operation: Operation, look: Look) -> Edit:
    """A new member of a field, behind the keys that come before it; on a line of its own where those have one."""
    parent, _, key = operation.path.rpartition("/")
    last = [name for name in at(look.value, parent) if name in BEFORE][-1]
    start, end = look.places[f"{parent}/{last}"]
    indent = look.text[look.offsets.of(start.line, 1) : look.offsets.of(start.line, start.column)]
    separator = f",\n{indent}" if indent.strip() == "" else ", "
    return Edit(
        line=end.end_line,
        column=end.end_column,
        end_line=end.end_line,
        end_column=end.end_column,
        text=f"{separator}{shown(key)}: {shown(operation.value)}",
    )


def removed(path: str, look: Look) -> Edit:
    """A member goes, with the comma before it. Raises ``LookupError`` for the first member: its comma stands behind."""
    parent, _, key = path.rpartition("/")
    names = list(at(look.value, parent))
    before = names.index(key) - 1
    if before < 0:
        raise LookupError(path)
    start, end = look.places[f"{parent}/{names[before]}"][1], look.places[path][1]
    return Edit(line=start.end_line, column=start.end_column, end_line=end.end_line, end_column=end.end_column, text="")


def over(span: jsontext.Span, text: str) -> Edit:
    """A text in place of a stretch."""
    return Edit(line=span.line, column=span.column, end_line=span.end_line, end_column=span.end_column, text=text)


def at(value: Any, pointer: str) -> Any:
    """The part of a JSON value at an RFC 6901 pointer."""
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


def shown(value: Any) -> str:
    """A JSON value on one line."""
    return json.dumps(value, ensure_ascii=False)


class Offsets:
    """Lines and columns of a text as offsets."""

    def __init__(self, text: str) -> None:
        """Find the line starts once."""
        self._starts = [0, *(match.end() for match in re.finditer(r"\r\n|\n|\r", text))]

    def of(self, line: int, column: int) -> int:
        """The offset of a place."""
        return self._starts[line - 1] + column - 1

    def cut(self, text: str, span: jsontext.Span) -> str:
        """What stands in a stretch."""
        return text[self.of(span.line, span.column) : self.of(span.end_line, span.end_column)]


def applied(text: str, fixes: Iterable[Sequence[Edit]]) -> tuple[str, list[int]]:
    """The text with the edits of all fixes but those that touch an earlier one's; and the numbers of the fixes that were taken."""
    offsets = Offsets(text)
    taken: list[tuple[int, int, str]] = []
    numbers = []
    for number, fix in enumerate(fixes):
        spans = [(offsets.of(e.line, e.column), offsets.of(e.end_line, e.end_column), e.text) for e in fix]
        if all(is_free(span, taken) for span in spans):
            for span in spans:
                insort(taken, span)
            numbers.append(number)
    for start, end, new in reversed(taken):
        text = text[:start] + new + text[end:]
    return text, numbers


def is_free(span: tuple[int, int, str], taken: Sequence[tuple[int, int, str]]) -> bool:
    """Whether a stretch touches no neighbour among those that are taken, which are sorted and apart from each other."""
    place = bisect_left(taken, span)
    before, behind = taken[place - 1 : place], taken[place : place + 1]
    return all(end <= span[0] for _, end, _ in before) and all(start >= span[1] for start, _, _ in behind)
