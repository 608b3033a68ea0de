"""On which line each key of a TOML text stands: ``tomllib`` gives values without places.

The text is known to be valid (``tomllib`` has read it), so the scan only follows statements: it skips strings and
comments and counts brackets. Keys inside inline tables have the line of the statement that holds them.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

Path: TypeAlias = tuple[str | int, ...]

MAX_PARTS: Final = 100
"""A dotted name of more is refused before it is parsed: ``tomllib`` takes time by the square of them."""

_TOKEN: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[\[\]{}\n]|[^\s"\'#\[\]{}]+|[^\S\n]+',
    re.DOTALL,
)


def key_lines(text: str) -> Mapping[Path, int]:
    """Path of each table and key to its 1-based line; the n-th ``[[removed]]`` is ``("removed", n)``, from 0."""
    lines: dict[Path, int] = {}
    arrays: Counter[Path] = Counter()
    table: Path = ()
    for line, statement in _statements(text.replace("\r\n", "\n")):
        if statement.startswith("[["):
            name = _within_arrays(_key(statement[2 : statement.rindex("]]")]), arrays)
            table = (*name, arrays[name])
            arrays[name] += 1
        elif statement.startswith("["):
            table = _within_arrays(_key(statement[1 : statement.rindex("]")]), arrays)
        else:
            path = (*table, *_key(statement))
            for end in range(len(table) + 1, len(path) + 1):
                lines.setdefault(path[:end], line)
            continue
        for end in range(1, len(table) + 1):
            lines.setdefault(table[:end], line)
    return lines


def too_deep(text: str) -> int:
    """The 1-based line of a dotted name of too many parts, 0 without one. Looks at dots only: the text may be anything."""
    for number, line in enumerate(text.split("\n"), start=1):
        heads = [line] if line.lstrip().startswith("[") else line.split("=")[:-1]
        if any(head.rpartition("{")[2].rpartition(",")[2].count(".") > MAX_PARTS for head in heads):
            return number
    return 0


def line_of(path: Path, *, lines: Mapping[Path, int]) -> int:
    """Line of the path, or of the nearest thing around it; 0 for the file."""
    return next((lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in lines), 0)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Line and text of each header and of the key part of each assignment."""
    line, start, depth, parts = 1, 1, 0, list[str]()
    for match in _TOKEN.finditer(text + "\n"):
        piece = match[0]
        if piece == "\n" and depth == 0:
            statement = "".join(parts).strip()
            if statement:
                yield start, statement
            parts.clear()
        elif not piece.startswith("#"):
            if not parts:
                start = line
            depth += (piece in "[{") - (piece in "]}")
            parts.append(" " if piece == "\n" else piece)
        line += piece.count("\n")


def _key(text: str) -> Path:
    """The dotted key that a statement starts with, unquoted: ``topic."order-events"`` is two names."""
    end = _end_of_key(text)
    value: object = tomllib.loads(f"{text[:end]} = 0")
    names: list[str | int] = []
    while isinstance(value, dict):
        (name, value), *_ = value.items()
        names.append(name)
    return tuple(names)


def _end_of_key(text: str) -> int:
    for match in _TOKEN.finditer(text):
        piece = match[0]
        if piece[0] not in "\"'" and "=" in piece:
            return match.start() + piece.index("=")
    return len(text)


def _within_arrays(name: Path, arrays: Counter[Path]) -> Path:
    """A header below an array of tables means its newest element."""
    path: Path = ()
    for part in name[:-1]:
        path = (*path, part)
        if arrays[path]:
            path = (*path, arrays[path] - 1)
    return (*path, *name[-1:])
