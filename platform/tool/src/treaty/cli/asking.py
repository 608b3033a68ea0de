"""Before anything is changed: what would be done is shown, and a person or ``--yes`` agrees."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from treaty.cli.talk import aloud, is_terminal
from treaty.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])


def changing(command: F) -> F:
    """Adds ``--dry-run`` and ``--yes``."""
    dry_run = click.option("--dry-run", is_flag=True, help="Only say what would be done.")
    yes = click.option("--yes", is_flag=True, help="Do not ask.")
    return dry_run(yes(command))


def agreed(question: str, *, yes: bool, dry_run: bool) -> bool:
    """Whether to go on: False for a dry run. Asks on a terminal; without one only ``--yes`` will do."""
    if dry_run:
        click.echo("Nothing was changed (--dry-run).", err=True)
        return False
    if yes:
        return True
    if not is_terminal(sys.stdin):
        raise UsageError("There is no terminal to ask on.", next_step="say --yes")
    with aloud():
        return click.confirm(question, abort=True, err=True)
