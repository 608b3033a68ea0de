"""The lines of code that read a field, by service."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from treaty.ops.catalogue.html import Child, el
from treaty_codegen.finding import Reader

MOST_LINES: Final = 20
"""Lines of code that read one field; more are counted."""


def lines_of(readers: Iterable[Reader]) -> list[Child]:
    """Services with the lines that read; lines after which nobody can say are marked."""
    lines: dict[str, list[str]] = {}
    for reader in readers:
        mark = "?" if reader.why else ""
        lines.setdefault(reader.service, []).append(f"{reader.file}:{reader.line}{mark}")
    return [
        el("details", el("summary", service, f" ({len(found)})"), el("p", ", ".join(found[:MOST_LINES])))
        for service, found in lines.items()
    ]
