"""``treaty changelog``."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from treaty.cli.harmless import echo
from treaty.cli.project import config_option, load_settings


@click.command(name="changelog")
@click.option("--since", required=True, metavar="VERSION", help="The release to begin with.")
@config_option
def changelog(config: Path | None, since: str) -> None:
    """Print, as Markdown, what changed in the events since a release.

    \b
    treaty changelog --since 0.1.0
    treaty changelog --since 1.4.0 > notes.md

    Exit codes: 0, 2 usage (no such release).
    """
    from treaty.ops.diff import TREE, side
    from treaty.ops.notes import notes
    from treaty.wiring import registry_of

    settings = load_settings(config)
    connect = partial(registry_of, settings)
    before, now = (side(settings, name, connect=connect) for name in (f"release:{since}", TREE))
    echo(notes(before, now, version=f"Since {since}", contracts={}), nl=False)
