"""``treaty down``."""

from __future__ import annotations

from pathlib import Path

import click

from treaty.cli.harmless import echo
from treaty.cli.project import config_option, load_settings


@click.command()
@config_option
def down(config: Path | None) -> int:
    """End the local stack of this project, and whatever a killed one left behind.

    \b
    treaty down
    treaty down --config ../shop/treaty.toml

    Exit codes: 0 nothing runs any more, 2 usage, 3 something does not end.
    """
    from treaty.local.down import end_stack

    ended = end_stack(load_settings(config).root / ".treaty")
    echo(f"Ended: {', '.join(ended)}." if ended else "Nothing was running.")
    return 0
