"""``treaty settings``."""

from __future__ import annotations

from pathlib import Path

import click

from treaty.cli.harmless import echo
from treaty.cli.project import config_option, load_settings


@click.command(name="settings")
@config_option
def settings(config: Path | None) -> None:
    """Print every setting and where it came from; secrets as ***.

    \b
    treaty settings
    TREATY_PROJECT__SCHEMAS=events treaty settings

    Exit codes: 0, 2 for a project file that cannot be used.
    """
    rows = list(load_settings(config).rows())
    width = max(len(name) for name, _, _ in rows)
    for name, value, source in rows:
        echo(f"{name:{width}}  {value}  ({source})")
