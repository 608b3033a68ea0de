"""The line that a finding is about, with its place marked beneath: what a person sees on a terminal.

Laws: nothing of the text reaches the terminal but printable characters; the marks stand under what they mark, however wide its
characters are; a line is never longer than the terminal, unless that has no room for ``LEAST`` cells of text; one of a megabyte
costs no more than what is shown of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from treaty_avro.errors import one_line
from treaty_codegen.finding import Location

TAB: Final = "    "
CUT: Final = "..."
"""Stands where a part of the line is left out. ASCII, as the whole frame: any terminal can show it."""

LEAST: Final = 16
"""Cells for the text, however narrow the terminal is."""

_ENDS: Final = re.compile(r"\r\n|\n|\r")
"""Where lines end for the parser of schemas, and so for the lines of findings."""


def lines_of(text: str) -> list[str]:
    """The lines that findings count."""
    return _ENDS.split(text)


def frame(lines: Sequence[str], at: Location, *, width: int = 80, paint: str = "") -> list[str]:
    """Line number and text, and the marks below; nothing where the text has no such line.

    ``width``: cells of the terminal. ``paint``: Select Graphic Rendition code of the marks ("": no colours). A place of several
    lines is marked to the end of its first; one without extent at the start of a line marks the whole line.
    """
    if not 1 <= at.line <= len(lines):
        return []
    line, number = lines[at.line - 1], str(at.line)
    begin, end = marked(line, at)
    room = max(width - len(number) - len("  |  "), LEAST)
    before = shown(line[max(begin - room, 0) : begin])
    # One more than there is room for tells that something had to go.
    text, after = shown(line[begin : min(end, begin + room + 1)]), shown(line[end : end + room + 1])
    is_cut = begin > room
    if cells(before) + min(cells(text), room // 2) > room:
        before, is_cut = last(before, room // 3), True
    before = CUT + before if is_cut else before
    kept = first(text, room - cells(before))
    after = first(after, room - cells(before) - cells(kept)) if kept == text else ""
    whole = before + kept + after
    marks = "^" * max(cells(kept), 1)
    marks = f"\x1b[{paint}m{marks}\x1b[0m" if paint else marks
    gutter = " " * len(number)
    return [f" {number} | {whole}".rstrip(), f" {gutter} | {' ' * cells(before)}{marks}"]


def marked(line: str, at: Location) -> tuple[int, int]:
    """From where to where a line is marked, as indexes."""
    begin = min(at.column - 1, len(line))
    if at.end_line > at.line:
        return begin, len(line.rstrip())
    if at.end_column > at.column:
        return begin, min(at.end_column - 1, len(line))
    return (len(line) - len(line.lstrip()), len(line.rstrip())) if begin == 0 else (begin, begin + 1)


def shown(text: str) -> str:
    """A part of a line with its tabs as spaces, and what is not printable as its escape."""
    return one_line(text.replace("\t", TAB))


def cells(text: str) -> int:
    """How many cells of a terminal a printable text takes."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def first(text: str, room: int) -> str:
    """As much of the start as there is room for; ``CUT`` where something had to go."""
    if cells(text) <= room:
        return text
    kept, taken = "", len(CUT)
    for character in text:
        taken += _cells(character)
        if taken > room:
            break
        kept += character
    return kept + CUT if room >= len(CUT) else ""


def last(text: str, room: int) -> str:
    """As much of the end as there is room for."""
    taken = 0
    for index in range(len(text) - 1, -1, -1):
        taken += _cells(text[index])
        if taken > room:
            return text[index + 1 :]
    return text
