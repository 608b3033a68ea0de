"""Rows for people and for programs: columns as wide as they must be, or one JSON document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click

from treaty.cli.harmless import echo, echo_json

F = TypeVar("F", bound=Callable[..., Any])

LONGEST = 60


def format_option(command: F) -> F:
    """Adds ``--format text|json``."""
    return click.option(
        "--format",
        "format_",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="How to print.",
    )(command)


def show_json(value: object) -> None:
    """One JSON document on stdout."""
    echo_json(value, indent=2)


def show_table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns with heads on stdout; nothing at all without rows. What a terminal would obey is escaped."""
    lines = [[short(str(cell)) for cell in row] for row in rows]
    if not lines:
        return
    widths = [max(len(line[column]) for line in [list(heads), *lines]) for column in range(len(heads))]
    for line in [list(heads), *lines]:
        echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def short(text: str) -> str:
    """A text on one line, cut at its end, with characters that are not printed as escapes."""
    plain = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + "…"
