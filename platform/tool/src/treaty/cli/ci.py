"""``treaty ci``."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from treaty.cli.checks_cache import cache_option, drawer_of
from treaty.cli.findings import finish, output_options
from treaty.cli.harmless import harmless
from treaty.cli.progress import working
from treaty.cli.project import config_option, load_settings, require_base

if TYPE_CHECKING:
    from treaty_codegen.review import Review

NAMES = ("lint", "breaking", "generated", "bytes", "plan")
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(name="ci")
@click.option("--only", multiple=True, type=click.Choice(NAMES), help="Make this check alone; may be repeated.")
@click.option(
    "--base",
    default="",
    metavar="REF",
    envvar=["GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"],
    help="The branch that this one is to be merged into (default: as for `treaty breaking`).",
)
@click.option(
    "--env",
    "environment",
    metavar="NAME",
    help="Plan for this environment: ask its registry, and its brokers if it names any.",
)
@click.option("--approvals", type=_FILE, help="Who really approved, as JSON: waivers name nobody else.")
@click.option("--report", type=_FILE, help="Write what reviewers are told as JSON.")
@click.option("--comment", type=_FILE, help="Write it as the comment of a pull request.")
@click.option("--from", "told", type=_FILE, help="Check nothing; write the comment of this report, whoever made it.")
@output_options
@cache_option
@config_option
def ci(*, told: Path | None, comment: Path | None, **flags: Any) -> int:
    """Make every check of a schema pull request: lint, breaking, generated, bytes and, with --env, the plan.

    \b
    treaty ci
    treaty ci --base main --env prod --comment comment.md
    treaty ci --from report.json --comment comment.md

    Exit codes: 0 clean, 1 any of them fails, 2 usage (no repository, unknown ref), 3 unreachable, clone too shallow.
    """
    return checked(comment=comment, **flags) if told is None else rendered(told, comment)


def checked(
    *,
    config: Path | None,
    only: tuple[str, ...],
    base: str,
    environment: str | None,
    approvals: Path | None,
    report: Path | None,
    comment: Path | None,
    format_: str | None,
    output: Path | None,
    no_cache: bool,
) -> int:
    """Makes the checks, tells what they found, and writes what reviewers are told."""
    from treaty.ops.against import Against
    from treaty.ops.ci import Asked, review, run
    from treaty.ops.outcome import Outcome
    from treaty.ops.waivers import read_approvals
    from treaty.wiring import cluster_if_known, now, registry_of

    require_base(settings := load_settings(config), base)
    heard = read_approvals(approvals) if approvals is not None else None
    plans_for = environment if environment and "plan" in (only or NAMES) else ""
    with (
        working("Making every check"),
        registry_of(settings, environment) if environment else nullcontext() as registry,
        cluster_if_known(settings, plans_for) as cluster,
    ):
        against = Against(base=base, registry=registry, environment=environment or "", approvals=heard)
        drawer = drawer_of(settings, no_cache=no_cache)
        asked = Asked(settings=settings, against=against, today=now().date(), cluster=cluster, drawer=drawer)
        checks = dict(run(asked, only))
    findings = tuple(row for check in checks.values() for row in check.findings)
    outcome = Outcome(findings=findings, looked_at=", ".join(checks), root=settings.root)
    finish(outcome, format_=format_, output=output)
    for name, check in checks.items():
        click.echo(harmless(f"{'failed' if check.failed else 'ok':6} {name:10} {check.detail()}"), err=True)
    if report is not None or comment is not None:
        write(review(asked, checks), report=report, comment=comment)
    return 1 if any(check.failed for check in checks.values()) else 0


def write(made: Review, *, report: Path | None, comment: Path | None) -> None:
    """The review in the forms that were asked for."""
    from treaty.ops.files import put
    from treaty_codegen.render.review import comment as as_comment

    if report is not None:
        put(report, made.to_json())
    if comment is not None:
        put(comment, as_comment(made))


def rendered(report: Path, target: Path | None) -> int:
    """The comment of a report that anybody may have written; ``UsageError`` for a file that is none."""
    from treaty.errors import UsageError
    from treaty_codegen.render.review import comment as as_comment
    from treaty_codegen.review import Review

    try:
        made = Review.from_json(report.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{report} is no report of treaty ci: {error}") from error
    if target is None:
        click.echo(as_comment(made), nl=False)
    else:
        write(made, report=None, comment=target)
    return 0
