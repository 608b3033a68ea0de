"""``treaty up``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from treaty.cli.project import config_option, load_settings

if TYPE_CHECKING:
    from treaty.config import Settings
    from treaty.local.ending import Pause
    from treaty.local.layout import Layout
    from treaty.local.stack import Stack
    from treaty.local.view import View

F = TypeVar("F", bound=Callable[..., Any])


def stack_options(command: F) -> F:
    """The options of ``up`` and ``demo`` alike."""
    databases = click.Choice(["sqlite", "postgres"])
    options = [
        click.option("--port", "ports", multiple=True, metavar="NAME=PORT", help="Another port; 0 takes a free one."),
        click.option(
            "--database", type=databases, default="sqlite", show_default=True, help="Where services keep tables."
        ),
        click.option("--without", multiple=True, metavar="SERVICE", help="Leave out a service: you run it yourself."),
        click.option("--fresh", is_flag=True, help="Remove the data of earlier runs first."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@stack_options
@config_option
def up(config: Path | None, **options: Any) -> int:
    """Start a real Kafka, the registry, Redis, a mail sink and the services on this machine, until Ctrl-C.

    \b
    treaty up
    treaty up --database postgres --port kafka=41093 --without order

    Exit codes: 0 ended as asked, 2 usage, 3 something is missing, taken or does not start, 130 Ctrl-C while starting, or twice.
    """
    from treaty.local.stack import running_stack
    from treaty.local.supervision import supervise

    settings = load_settings(config)
    layout = layout_of(settings, options)
    machine, view = machine_and_view()
    return supervise(
        lambda pause: running_stack(
            layout, settings=settings, machine=machine, view=view, fresh=options["fresh"], pause=pause
        ),
        within=watch,
        view=view,
    )


def watch(stack: Stack, view: View, pause: Pause) -> None:
    """The table, and again whenever a part has ended; for ever."""
    view.table(stack.rows)
    if absent := stack.layout.left_out:
        view.say(
            f"Declared, but not started: {', '.join(absent)} ([local] services of treaty.toml). Nobody reads for them."
        )
    view.say(f"Logs: {stack.layout.folder / 'logs'}. Ctrl-C, or `treaty down` in another terminal, ends everything.")
    while True:
        pause(0.5)
        if stack.look():
            view.table(stack.rows)


def layout_of(settings: Settings, options: Mapping[str, Any]) -> Layout:
    """The layout that settings and ``stack_options`` describe; ``UsageError`` for options that make no sense."""
    from treaty.errors import UsageError
    from treaty.local.layout import Layout, ports_for
    from treaty.ops.schemas import load_project
    from treaty.ops.services import left_out, started

    command = str(settings.get("local", "service"))
    declared = tuple(load_project(settings).services) if command else ()
    here = started(settings, declared=declared) if command else ()
    without = options["without"]
    for name in without:
        if name not in here:
            raise UsageError(f"There is no service `{name}` here.", next_step=f"the services are {', '.join(here)}")
    return Layout(
        root=settings.root,
        services=tuple(name for name in here if name not in without),
        left_out=left_out(settings, declared=declared) if command else (),
        service_command=command,
        database=options["database"],
        ports=ports_for(here, configured=settings.get("local", "ports"), by_hand=dict(map(port_of, options["ports"]))),
    )


def port_of(text: str) -> tuple[str, int]:
    """``kafka=9092`` as name and number; ``BadParameter`` for anything else."""
    name, _, number = text.partition("=")
    if not number.isascii() or not number.isdigit():
        raise click.BadParameter(f"`{text}` is not NAME=PORT", param_hint="--port")
    return name, int(number)


def machine_and_view() -> tuple[Any, View]:
    """This machine and the terminal; the only place of these commands that looks at the process's environment."""
    import os
    import sys

    from rich.console import Console

    from treaty.local.machine import Machine
    from treaty.local.view import View

    width = None if sys.stderr.isatty() else 160  # a log file wraps nothing
    return Machine(env=dict(os.environ)), View(Console(file=sys.stderr, soft_wrap=True, width=width))
