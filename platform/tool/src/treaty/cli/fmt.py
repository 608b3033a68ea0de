"""``treaty fmt``."""

from __future__ import annotations

from pathlib import Path

import click

from treaty.cli.harmless import echo
from treaty.cli.project import config_option, load_settings


@click.command(name="fmt")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a file would change.")
@click.option("--diff", is_flag=True, help="Show what changes.")
@config_option
def fmt(config: Path | None, paths: tuple[Path, ...], check: bool, diff: bool) -> int:
    """Put schema files into the one layout: two spaces, a key a line, keys in one order.

    \b
    treaty fmt
    treaty fmt --check --diff
    treaty fmt schemas/order

    Exit codes: 0 written or nothing to do, 1 a file would change (--check) or is no schema, 2 usage, 3 disk.
    """
    from treaty.ops.fmt import unformatted

    count, rows = unformatted(load_settings(config), only=paths)
    for row in rows:
        echo(row.path)
        if diff:
            echo(row.diff(), nl=False)
        if not check:
            row.write()
    done = "would change" if check else "changed"
    echo(f"{len(rows)} of {count} files {done}.", err=True)
    return 1 if check and rows else 0
