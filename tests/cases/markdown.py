"""Cases in Markdown: a heading, prose, input blocks, an expected block. The page that explains is the test that proves.

``TREATY_SNAPSHOTS=write`` rewrites expected blocks in place; the diff is reviewed like code.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WRITE = os.environ.get("TREATY_SNAPSHOTS") == "write"
FENCE = re.compile(r"^(?P<fence>`{3,})(?P<info>[^`]*)$")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: language, the rest of its info string, text, its first content line (from 1), its number in the page."""

    language: str
    argument: str
    text: str
    line: int
    number: int


@dataclass(frozen=True, slots=True)
class Case:
    """The blocks under one heading of one page."""

    path: Path
    title: str
    line: int
    blocks: tuple[Block, ...]

    @property
    def place(self) -> str:
        """``docs/rules/lint/x.md:12``, shown when the case fails."""
        return f"{self.path.relative_to(ROOT)}:{self.line}"

    def of(self, language: str) -> tuple[Block, ...]:
        """All blocks of one language."""
        return tuple(block for block in self.blocks if block.language == language)


def cases(path: Path) -> Iterator[Case]:
    """Every heading of a page that has a fenced block below it."""
    title, start = path.stem, 1
    blocks: list[Block] = []
    lines = path.read_text(encoding="utf-8").splitlines()
    number = count = 0
    while number < len(lines):
        line = lines[number]
        if match := FENCE.match(line):
            end = next(i for i in range(number + 1, len(lines)) if lines[i].strip() == match["fence"])
            language, _, argument = match["info"].strip().partition(" ")
            text = "".join(f"{row}\n" for row in lines[number + 1 : end])
            blocks.append(Block(language, argument, text, number + 2, count))
            count += 1
            number = end
        elif line.startswith("#"):
            if blocks:
                yield Case(path, title, start, tuple(blocks))
            title, start, blocks = line.lstrip("# "), number + 1, []
        number += 1
    if blocks:
        yield Case(path, title, start, tuple(blocks))


def expect(case: Case, block: Block, actual: str) -> None:
    """Fails with the page's line if the block says otherwise; writes the block instead when snapshots are being made."""
    if actual == block.text:
        return
    if not WRITE:
        message = f"{case.path.relative_to(ROOT)}:{block.line}: {case.title}\n--- the page says\n{block.text}--- it is\n{actual}"
        raise AssertionError(message)
    # What was written above may have moved this block; its number in the page stays.
    now = next(each for other in cases(case.path) for each in other.blocks if each.number == block.number)
    lines = case.path.read_text(encoding="utf-8").splitlines(keepends=True)
    lines[now.line - 1 : now.line - 1 + len(now.text.splitlines())] = [actual]
    case.path.write_text("".join(lines), encoding="utf-8")
