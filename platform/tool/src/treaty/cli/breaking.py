"""``treaty breaking``."""

from __future__ import annotations

from pathlib import Path

import click

from treaty.cli.findings import finish, output_options
from treaty.cli.project import config_option, load_settings


@click.command(name="breaking")
@click.option(
    "--against",
    multiple=True,
    metavar="WHAT",
    help="merge-base, releases, git:REF or dir:PATH; may be repeated (default: [breaking] against of treaty.toml).",
)
@click.option(
    "--base",
    default="",
    metavar="REF",
    envvar=["GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"],
    help="The branch for merge-base (default: the target branch in CI, else origin/HEAD, else main).",
)
@output_options
@config_option
def breaking(config: Path | None, against: tuple[str, ...], base: str, format_: str | None, output: Path | None) -> int:
    """Find changes that would break a reader, or change what the bytes mean.

    \b
    treaty breaking
    treaty breaking --against git:main --format json

    Exit codes: 0 clean, 1 an error, 2 usage (unknown ref, no repository), 3 no git, or a clone that is too shallow.
    """
    from treaty.ops.check import run_breaking

    return finish(run_breaking(load_settings(config), against=against, base=base), format_=format_, output=output)
