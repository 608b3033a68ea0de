"""``treaty generate``."""

from __future__ import annotations

from pathlib import Path

import click

from treaty.cli.project import config_option, load_settings


@click.command(name="generate")
@click.option("--check", is_flag=True, help="Write nothing; show the differences and exit 1 if there are any.")
@config_option
def generate(config: Path | None, check: bool) -> int:
    """Write the typed Python classes of all events from the schemas.

    \b
    treaty generate
    treaty generate --check      what continuous integration runs

    Exit codes: 0 written or fresh, 1 stale (--check) or foreign files in the package, 2 usage, 4 a bug.
    """
    from treaty.ops import generate as ops
    from treaty_codegen import compare

    settings = load_settings(config)
    wanted, folder = ops.wanted_files(settings), settings.folder("sdk")
    rows = compare(ops.existing_files(folder), wanted)
    if not check:
        ops.write(folder, rows, wanted)
    for row in rows:
        click.echo(f"{row.kind:8} {row.path}")
        if check and row.diff:
            click.echo(row.diff, nl=False)
    stale = [row for row in rows if row.kind != "foreign"]
    foreign = len(rows) - len(stale)
    if check and stale:
        click.echo(
            f"The SDK is not what the schemas give: {len(stale)} of {len(wanted)} files differ.\n  next: treaty generate",
            err=True,
        )
    elif not check:
        click.echo(f"{len(wanted)} files, {len(stale)} written or removed.", err=True)
    if foreign:
        click.echo(
            f"{foreign} files in the package are not generated; they were left alone.\n  next: move them out", err=True
        )
    return 1 if foreign or (check and stale) else 0
