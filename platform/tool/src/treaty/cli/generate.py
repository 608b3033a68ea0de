"""``treaty generate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from treaty.cli.checks_cache import cache_option, drawer_of
from treaty.cli.harmless import harmless, no_command
from treaty.cli.progress import working
from treaty.cli.project import config_option, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from treaty.ops.generate import Generated


@click.command(name="generate")
@click.option("--check", is_flag=True, help="Write nothing; show the differences and exit 1 if there are any.")
@cache_option
@config_option
def generate(config: Path | None, check: bool, no_cache: bool) -> int:
    """Write the typed Python classes of all events, and their catalogue, from the schemas.

    \b
    treaty generate
    treaty generate --check      what continuous integration runs

    Exit codes: 0 written or fresh, 1 stale (--check) or foreign files among them, 2 usage, 3 disk, 4 a bug.
    """
    from treaty.ops.cache.generated import keep, key_of, standing

    settings = load_settings(config)
    drawer = drawer_of(settings, no_cache=no_cache)
    key = key_of(settings, drawer=drawer)
    if known := standing(settings, key, drawer=drawer):
        warn(known.warnings)
        summed_up(files=known.files, stale=0, foreign=0, check=check)
        return 0
    from treaty.ops import generate as ops

    with working("Generating classes"):
        folders = list(ops.generated(settings))
    code = carried_out(folders, check=check)
    keep(settings, key, folders, drawer=drawer)
    return code


def carried_out(folders: Sequence[Generated], *, check: bool) -> int:
    """Writes what differs, or with ``check`` shows it; the exit code."""
    rows = [(each, each.changes()) for each in folders]
    for each, changes in rows:
        warn(each.warnings)
        if not check:
            each.write(changes)
        for change in changes:
            click.echo(no_command(change.told(folder=each.name)))
            if check and change.diff:
                click.echo(harmless(change.diff), nl=False)
    files = sum(len(each.wanted) for each in folders)
    foreign = sum(change.kind == "foreign" for _, changes in rows for change in changes)
    stale = sum(len(changes) for _, changes in rows) - foreign
    summed_up(files=files, stale=stale, foreign=foreign, check=check)
    return 1 if foreign or (check and stale) else 0


def warn(warnings: Iterable[str]) -> None:
    """Sentences about schemas that are legal and of no use."""
    for warning in warnings:
        click.echo(harmless(f"warning: {warning}"), err=True)


def summed_up(*, files: int, stale: int, foreign: int, check: bool) -> None:
    """What was done or is to be done, on stderr."""
    if check and stale:
        click.echo(
            f"Not what the schemas give: {stale} of {files} files differ.\n  next: treaty generate",
            err=True,
        )
    elif not check:
        click.echo(f"{files} files, {stale} written or removed.", err=True)
    if foreign:
        click.echo(
            f"Not generated, and left alone: {foreign}.\n  next: move what is foreign out of the folder", err=True
        )
