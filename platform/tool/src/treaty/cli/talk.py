"""``-q``, ``-v`` and ``--color``: how much a command says to people beside its data, and whether in colour."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TextIO, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
QUIET: Final = "treaty.quiet"
VERBOSE: Final = "treaty.verbose"
"""Where the choices stand in a command's context."""


def talk_options(command: F) -> F:
    """Adds ``-q``, ``-v`` and ``--color``."""
    quiet = click.option(
        "-q", "--quiet", is_flag=True, expose_value=False, callback=hush, help="Say nothing but results and faults."
    )
    verbose = click.option(
        "-v",
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=remember,
        help="Say more: the project, all readers, how long it took.",
    )
    color = click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        expose_value=False,
        callback=paint,
        help="Colours (default: auto, on a terminal; NO_COLOR wins).",
    )
    return quiet(verbose(color(command)))


def hush(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    """Talk goes nowhere until the command ends; faults are told after that, and questions go past this (``aloud``)."""
    if value and QUIET not in context.meta:
        context.meta[QUIET] = sys.stderr
        nowhere = context.with_resource(Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  # the context closes it
        context.with_resource(contextlib.redirect_stderr(nowhere))


def remember(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    """The wish to hear more, and when it began."""
    if value:
        began = time.monotonic()
        context.meta[VERBOSE] = True
        context.call_on_close(lambda: click.echo(f"Took {time.monotonic() - began:.1f} s.", err=True))


def paint(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    """What click does with colours: keeps them on a terminal, always or never."""
    context.color = {"always": True, "never": False}.get(value or "auto")
    if os.environ.get("NO_COLOR"):
        context.color = False


def is_verbose() -> bool:
    """Whether the running command was asked to say more."""
    return bool(click.get_current_context().meta.get(VERBOSE))


def may_be_colored() -> bool:
    """Whether colours are worth writing: click takes them out again where there is no terminal."""
    return click.get_current_context().color is not False


def is_for_a_terminal() -> bool:
    """Whether data goes to a person's eyes at once; ``--color always`` says so of a pager."""
    return click.get_current_context().color is True or is_terminal(sys.stdout)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person is at the other end; nobody is where the stream was closed before we began (`>&-`)."""
    return stream is not None and stream.isatty()


def aloud() -> contextlib.AbstractContextManager[object]:
    """What is said within is heard for all ``-q``: a question that nobody sees cannot be answered."""
    heard = click.get_current_context().meta.get(QUIET)
    return contextlib.nullcontext() if heard is None else contextlib.redirect_stderr(heard)
