"""What every command that works on a project shares: ``--config`` and the settings behind it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from treaty.cli.harmless import echo
from treaty.cli.language import lang_option
from treaty.cli.talk import is_verbose, talk_options

if TYPE_CHECKING:
    from treaty.config import Settings

F = TypeVar("F", bound=Callable[..., Any])


def config_option(command: F) -> F:
    """Adds ``--config FILE`` and ``--debug`` (a stack trace for every fault)."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Project file (default: treaty.toml here or above).",
    )(debug_option(command))


def debug_option(command: F) -> F:
    """Adds ``--debug``, ``--lang``, ``-q``, ``-v`` and ``--color``: what every command has."""
    option = click.option("--debug", is_flag=True, expose_value=False, help="Show a stack trace for every fault.")
    return option(lang_option(talk_options(command)))


def load_settings(config: Path | None) -> Settings:
    """The project's settings; ``UsageError`` says what is wrong with them."""
    from treaty.config import Settings

    settings = Settings.load(config, os.environ, start=Path.cwd())
    if is_verbose():
        echo(f"Project: {settings.root}", err=True)
    return settings
