"""One measured line, and the table that the README shows."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

BEGIN, END = "<!-- bench -->", "<!-- /bench -->"


@dataclass(frozen=True, slots=True)
class Row:
    """``measured`` and ``target`` are texts with their unit; ``met`` None where there is no target."""

    what: str
    measured: str
    target: str = ""
    met: bool | None = None


def table(rows: list[Row]) -> str:
    """A Markdown table; a missed target is marked."""
    lines = ["| what | measured | target |", "|---|---|---|"]
    lines += [f"| {row.what} | {row.measured}{' ✗' if row.met is False else ''} | {row.target} |" for row in rows]
    return "\n".join(lines) + "\n"


def machine() -> str:
    """What the figures were measured on."""
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def write(readme: Path, rows: list[Row]) -> None:
    """Puts the table between the README's markers."""
    text = readme.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    body = f"{BEGIN}\n{table(rows)}\n{machine()}; `make bench`\n{END}"
    readme.write_text(head + body + tail, encoding="utf-8")
