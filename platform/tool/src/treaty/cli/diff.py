"""``treaty diff``."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from treaty.cli.findings import plural
from treaty.cli.harmless import echo, echo_json
from treaty.cli.project import config_option, load_settings


@click.command(name="diff")
@click.argument("before", default="merge-base", metavar="[A]")
@click.argument("after", default="tree", metavar="[B]")
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print."
)
@config_option
def diff(config: Path | None, before: str, after: str, format_: str) -> None:
    """Show what changed between A and B, without a verdict.

    A and B are tree, merge-base, release:1.4.0, registry:prod, dir:PATH, or a branch, tag or commit (git:REF).

    \b
    treaty diff
    treaty diff release:0.1.0 tree
    treaty diff registry:prod git:main --format json

    Exit codes: 0, 2 usage (unknown ref or release), 3 no git, a clone that is too shallow, no registry.
    """
    from treaty.ops.diff import facts, side
    from treaty.wiring import registry_of

    settings = load_settings(config)
    one, other = (side(settings, name, connect=partial(registry_of, settings)) for name in (before, after))
    rows = list(facts(one, other))
    if format_ == "json":
        echo_json([row.as_json() for row in rows], indent=2)
    else:
        for row in rows:
            echo(str(row))
    echo(f"{one.label} → {other.label}: {plural(len(rows), 'difference')}", err=True)
