"""The door to the screen: words of schemas, files and servers, as a terminal and the log of a workflow may have them."""

from __future__ import annotations

import os
import re
from typing import Final

import click

_COMMAND: Final = re.compile(r"^([^\S\n]*+)(::)", re.MULTILINE)


def echo(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Says a text that holds what somebody else wrote, and nothing in it is obeyed (``harmless``)."""
    click.echo(harmless(text), err=err, nl=nl)


def echo_row(text: str, *, err: bool = False) -> None:
    """Says one row of a list: a line break of somebody else's makes no row of its own."""
    echo(text.replace("\n", "\\n"), err=err)


def echo_json(value: object, *, indent: int | None = None) -> None:
    """Says a value as JSON, one line or indented, and nothing of the texts in it is obeyed."""
    from treaty_codegen.render.printable import printable_json

    click.echo(printable_json(value, indent=indent))


def harmless(text: str) -> str:
    """Words of schemas, files and settings, line by line, as a terminal and the log of a workflow may have them.

    What is not printable is shown as its escape. Under ``GITHUB_ACTIONS`` a line that the runner would take for a command gets a
    backslash. Source: actions/runner, ``ActionCommand.cs``: a line that begins with ``::``, blanks left out, or holds ``##[``.
    """
    from treaty_avro.errors import one_line

    return no_command("\n".join("\t".join(map(one_line, line.split("\t"))) for line in text.split("\n")))


def no_command(text: str) -> str:
    """A text with a backslash where the runner of a workflow would take a line for a command."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return text
    return _COMMAND.sub(r"\1\\\2", text).replace("##[", "##\\[")
