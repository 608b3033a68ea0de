"""``treaty settings``."""

from __future__ import annotations

from pathlib import Path

import click

from treaty.cli.project import config_option, load_settings
from treaty.cli.rows import Rows, row_options, show_rows


@click.command(name="settings")
@row_options
@config_option
def settings(*, config: Path | None, format_: str, output: Path | None) -> None:
    """Print every setting and where it came from; secrets as ***.

    \b
    treaty settings
    TREATY_PROJECT__SCHEMAS=events treaty settings --format json

    Exit codes: 0, 2 for a project file that cannot be used.
    """
    found = list(load_settings(config).rows())
    width = max(len(name) for name, _, _ in found)
    rows = Rows(
        name="settings",
        rows=[{"name": name, "value": value, "source": source} for name, value, source in found],
        columns=("name", "value", "source"),
        text=(f"{name:{width}}  {value}  ({source})" for name, value, source in found),
    )
    show_rows(rows, format_=format_, output=output)
