"""``treaty breaking``."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from treaty.cli.checks_cache import cache_option, drawer_of
from treaty.cli.findings import finish, output_options
from treaty.cli.progress import working
from treaty.cli.project import config_option, load_settings, require_base

WORDS = "Comparing schemas"


@click.command(name="breaking")
@click.option(
    "--against",
    multiple=True,
    metavar="WHAT",
    help="merge-base, releases, registry, git:REF or dir:PATH; may be repeated (default: [breaking] against of treaty.toml).",
)
@click.option(
    "--base",
    default="",
    metavar="REF",
    envvar=["GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"],
    help="The branch for merge-base (default: the target branch in CI, else origin/HEAD, else main).",
)
@click.option("--env", "environment", metavar="NAME", help="Compare with this environment's registry too.")
@click.option("--all", "judges_all", is_flag=True, help="Judge what the merge base already has like what is new.")
@click.option("--no-proof", is_flag=True, help="Look for no values that show the damage: quicker.")
@click.option(
    "--approvals",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Who really approved, as JSON: waivers name nobody else.",
)
@output_options
@cache_option
@config_option
def breaking(
    *,
    config: Path | None,
    against: tuple[str, ...],
    base: str,
    environment: str | None,
    judges_all: bool,
    no_proof: bool,
    approvals: Path | None,
    format_: str | None,
    output: Path | None,
    no_cache: bool,
) -> int:
    """Find changes that would break a reader, or change what the bytes mean.

    \b
    treaty breaking
    treaty breaking --against git:main --format json
    treaty breaking --env prod

    Exit codes: 0 clean, 1 an error, 2 usage (unknown ref, no repository), 3 no git, a clone that is too shallow, no registry.
    """
    from treaty.ops.against import Against
    from treaty.ops.cache import checks

    settings, today = load_settings(config), datetime.now(UTC).date()
    require_base(settings, base)
    drawer = drawer_of(settings, no_cache=no_cache)
    heard = heard_in(approvals) if approvals is not None else None
    wanted = Against(names=against, base=base, judges_all=judges_all, approvals=heard, proves=not no_proof)
    if environment is None:
        with working(WORDS):
            outcome = checks.breaking(settings, wanted, today=today, drawer=drawer)
        return finish(outcome, format_=format_, output=output)
    from treaty.wiring import registry_of

    with working(WORDS), registry_of(settings, environment) as registry:
        wanted = replace(wanted, registry=registry, environment=environment)
        outcome = checks.breaking(settings, wanted, today=today, drawer=drawer)
    return finish(outcome, format_=format_, output=output)


def heard_in(approvals: Path) -> frozenset[str]:
    """Who really approved, by a file."""
    from treaty.ops.waivers import read_approvals

    return read_approvals(approvals)
