"""Texts of schemas inside Markdown (CommonMark with GitHub's tables): shown as what they are, whatever they look like.

Law: nothing of a schema reaches a page but through ``plain``, ``paragraphs``, ``code`` and ``fence``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
"""Controls, halves of surrogate pairs and what turns the direction of writing: a reader must see that it is there."""

_SPECIAL: Final = re.compile(r"[\\`*\[\]~<>&$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_ENTITIES: Final = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "$": "&#36;"}
_QUOTED: Final = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_STARTS_A_BLOCK: Final = re.compile(r"[-+=#:!@]|\d+(?=[.)])")
_TICKS: Final = re.compile("`+")


def plain(text: str) -> str:
    """A text on one line. What stands between single backticks becomes code, the one form that owners of schemas use."""
    pieces = _QUOTED.split(_line(text))
    return "".join(code(piece) if number % 2 else _escaped(piece) for number, piece in enumerate(pieces))


def paragraphs(text: str) -> Iterator[str]:
    """A text as paragraphs, which blank lines part; none of them can become a heading, a list, a quote or a rule."""
    for part in re.split(r"\n[^\S\n]*\n", text.replace("\r\n", "\n")):
        shown = plain(part)
        if start := _STARTS_A_BLOCK.match(shown):
            # A number is no list if its full stop is escaped, anything else if it is escaped itself.
            at = start.end() if start[0].isdigit() else 0
            shown = f"{shown[:at]}\\{shown[at:]}"
        if shown:
            yield shown


def code(text: str) -> str:
    """A text as code on one line."""
    shown = _line(text)
    if not shown:
        return ""
    ticks = _ticks(shown, least=1)
    # One blank on both sides is taken off again by whoever shows it.
    edge = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{ticks}{edge}{shown}{edge}{ticks}"


def fence(text: str, *, language: str) -> str:
    """A block of code, ended by nothing that stands in it; what cannot be seen is written as ``\\u202e``."""
    ticks = _ticks(text, least=3)
    return f"{ticks}{language}\n{_UNSEEN.sub(_told, text).rstrip()}\n{ticks}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, may_drop: Sequence[str] = ()) -> str:
    """A table of cells that are Markdown already; columns of ``may_drop`` that hold nothing are left out.

    A cell ends at the first bar that is not escaped, even within code. Source: GitHub Flavored Markdown, "Tables".
    """
    kept = [n for n, name in enumerate(head) if name not in may_drop or any(row[n] for row in rows)]
    lines = [
        [head[n] for n in kept],
        ["---"] * len(kept),
        *([row[n].replace("|", "\\|") for n in kept] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def facts(rows: Sequence[Sequence[str]]) -> str:
    """A table of names and values; the first row stands at its head, since Markdown has no table without one."""
    return table(rows[0], rows[1:])


def _line(text: str) -> str:
    return _UNSEEN.sub(_told, " ".join(text.split()))


def _told(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda match: _ENTITIES.get(match[0], f"\\{match[0]}"), text)


def _ticks(text: str, *, least: int) -> str:
    return "`" * max(least, 1 + max(map(len, _TICKS.findall(text)), default=0))
