"""``treaty generate``."""

from __future__ import annotations

from pathlib import Path

import click

from treaty.cli.project import config_option, load_settings
from treaty.cli.talk import harmless, no_command


@click.command(name="generate")
@click.option("--check", is_flag=True, help="Write nothing; show the differences and exit 1 if there are any.")
@config_option
def generate(config: Path | None, check: bool) -> int:
    """Write the typed Python classes of all events, and their catalogue, from the schemas.

    \b
    treaty generate
    treaty generate --check      what continuous integration runs

    Exit codes: 0 written or fresh, 1 stale (--check) or foreign files among them, 2 usage, 3 disk, 4 a bug.
    """
    from treaty.ops import generate as ops

    folders = list(ops.generated(load_settings(config)))
    rows = [(each, each.changes()) for each in folders]
    for each, changes in rows:
        for warning in each.warnings:
            click.echo(harmless(f"warning: {warning}"), err=True)
        if not check:
            each.write(changes)
        for change in changes:
            click.echo(no_command(change.told(folder=each.name)))
            if check and change.diff:
                click.echo(harmless(change.diff), nl=False)
    files = sum(len(each.wanted) for each in folders)
    foreign = sum(change.kind == "foreign" for _, changes in rows for change in changes)
    stale = sum(len(changes) for _, changes in rows) - foreign
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
    return 1 if foreign or (check and stale) else 0
