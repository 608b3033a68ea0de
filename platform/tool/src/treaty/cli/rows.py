"""Facts without a verdict leave a command here: the same formats, the same file, whatever they are about.

A document says what its rows are: ``{"version": 1, "differences": […], "summary": {…}}``; keys and kinds are never translated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from treaty.cli.harmless import harmless, no_command

F = TypeVar("F", bound=Callable[..., Any])
Row = Mapping[str, Any]

FORMATS: Final = ("text", "json", "jsonl", "markdown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What a command found. ``name``: what its rows are, in a document; ``columns``: of a table in Markdown; ``text``: for people."""

    name: str
    rows: Sequence[Row]
    columns: Sequence[str]
    text: Iterable[str]
    summary: Row = field(default_factory=dict)


def row_options(command: F) -> F:
    """Adds ``--format`` and ``--output``."""
    command = click.option(
        "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the rows to a file instead."
    )(command)
    return click.option(
        "--format", "format_", type=click.Choice(FORMATS), default="text", show_default=True, help="How to print."
    )(command)


def show_rows(found: Rows, *, format_: str, output: Path | None) -> None:
    """Prints the rows, or writes them to ``output``, whole or not at all."""
    from treaty.ops.files import put

    printed = PRINTERS[format_](found)
    if output is not None:
        put(output, printed)
    else:
        click.echo(no_command(printed), nl=False)


def text(found: Rows) -> str:
    """The lines, each as one that nothing obeys, in a file too: a line break of somebody else's makes no row of its own."""
    return "".join(harmless(line.replace("\n", "\\n")) + "\n" for line in found.text)


def document(found: Rows) -> str:
    """One JSON document."""
    from treaty_codegen.render.printable import printable_json

    body = {"version": 1, found.name: list(found.rows), "summary": dict(found.summary)}
    return printable_json(body, indent=2) + "\n"


def lines(found: Rows) -> str:
    """One JSON object a line."""
    from treaty_codegen.render.printable import printable_json

    return "".join(printable_json(row) + "\n" for row in found.rows)


def markdown(found: Rows) -> str:
    """A table; a cell that is not there is empty."""
    from treaty_codegen.documents.markdown_text import plain, table

    cells = [[plain(cell(row.get(column))) for column in found.columns] for row in found.rows]
    return table([column.replace("_", " ") for column in found.columns], cells) + "\n"


def cell(value: object) -> str:
    """A value as a text: of a list its members, of a table ``key=value``, of what is not there nothing."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={each}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return "" if value is None else str(value)


PRINTERS: Final[Mapping[str, Callable[[Rows], str]]] = {
    "text": text,
    "json": document,
    "jsonl": lines,
    "markdown": markdown,
}
"""Format to printer."""
