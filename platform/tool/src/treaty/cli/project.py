"""What every command that works on a project shares: ``--config`` and the settings behind it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
from click.core import ParameterSource

from treaty.cli.harmless import echo, echo_row
from treaty.cli.language import lang_option
from treaty.cli.talk import is_verbose, talk_options

if TYPE_CHECKING:
    from treaty.config import Settings

F = TypeVar("F", bound=Callable[..., Any])
STRANGERS: Final = "treaty.strangers"
"""Where a command's context says that they were told of."""


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
    """The project's settings; ``UsageError`` says what is wrong with them. Variables that nothing reads are told of once."""
    from treaty.config import Settings

    settings = Settings.load(config, os.environ, start=Path.cwd())
    tell_strangers(settings)
    if is_verbose():
        echo(f"Project: {settings.root}", err=True)
    return settings


def tell_strangers(settings: Settings) -> None:
    """Names variables that look like ours and are none, once a command."""
    from treaty.variables import strangers

    told = click.get_current_context().meta
    if STRANGERS not in told:
        told[STRANGERS] = True
        for sentence in strangers(os.environ, environments=settings.environments):
            echo_row(sentence, err=True)


def require_base(settings: Settings, base: str) -> None:
    """Raises ``UsageError`` for a ``--base`` that git does not know: a check that needs none would leave it out in silence.

    What a runner says by a variable is taken where it is known: its clone may have one branch alone.
    """
    if click.get_current_context().get_parameter_source("base") is ParameterSource.COMMANDLINE:
        from treaty.ops.baseline import require_base as require

        require(settings, base)
