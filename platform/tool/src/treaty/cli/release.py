"""``treaty release``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from treaty.cli.project import config_option, load_settings


@click.command(name="release")
@click.argument("version")
@config_option
def release(config: Path | None, version: str) -> None:
    """Lock the current schemas as the released set VERSION; later changes are checked against it for ever.

    \b
    treaty release 0.1.0
    treaty release 1.4.0 && git add schemas/releases

    Exit codes: 0 written, 1 lint errors or breaking changes, 2 usage (version not higher than the last).
    """
    from treaty.ops.release import release as write

    click.echo(write(load_settings(config), version=version, today=datetime.now(UTC).date()))
