"""``treaty lint``."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from treaty.cli.checks_cache import cache_option, drawer_of
from treaty.cli.findings import finish, output_options, plural
from treaty.cli.harmless import harmless
from treaty.cli.progress import working
from treaty.cli.project import config_option, load_settings

if TYPE_CHECKING:
    from treaty.config import Settings
    from treaty.ops.outcome import Outcome


@click.command(name="lint")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--rule", "rules", multiple=True, metavar="RULE", help="Only this rule (may be repeated).")
@click.option("--fix", is_flag=True, help="Mend what can be mended safely, and show what was changed.")
@click.option("--strict", is_flag=True, help="Exit 1 for warnings too.")
@click.option(
    "--baseline",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Tell only findings that this file does not know.",
)
@click.option(
    "--write-baseline",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write all findings of now into this file, and exit 0.",
)
@output_options
@cache_option
@config_option
def lint(
    *,
    config: Path | None,
    paths: tuple[Path, ...],
    rules: tuple[str, ...],
    fix: bool,
    strict: bool,
    baseline: Path | None,
    write_baseline: Path | None,
    format_: str | None,
    output: Path | None,
    no_cache: bool,
) -> int:
    """Check schemas and topics for style and safety; of PATH (files, folders) only.

    \b
    treaty lint
    treaty lint schemas/order --fix
    treaty lint --rule field-without-doc --format github
    treaty lint --write-baseline lint-baseline.json && treaty lint --baseline lint-baseline.json

    Exit codes: 0 clean, 1 an error (--strict: or a warning), 2 usage.
    """
    from treaty.ops.cache import checks

    settings = load_settings(config)
    only = within(settings, paths)
    if fix:
        mend_and_tell(settings, rules, only)
    with working("Checking schemas"):
        outcome = checks.lint(settings, drawer=drawer_of(settings, no_cache=no_cache), rules=rules, only=only)
    if write_baseline is not None:
        from treaty.ops.known_findings import write_known

        write_known(write_baseline, outcome.findings)
        click.echo(f"{write_baseline} knows {plural(len(outcome.findings), 'finding')}.", err=True)
        return 0
    if baseline is not None:
        outcome = without(outcome, baseline)
    return finish(outcome, format_=format_, output=output, strict=strict)


def within(settings: Settings, paths: tuple[Path, ...]) -> tuple[str, ...]:
    """The paths as findings name them: from the project, with forward slashes; () where one of them holds all schemas."""
    from treaty.errors import UsageError

    named, folder = [], settings.folder("schemas")
    for path in paths:
        full = Path(os.path.abspath(path))  # noqa: PTH100  # resolve() would follow a link that is named
        where = full.parent.resolve() / full.name
        if not os.path.lexists(where):
            raise UsageError(f"There is no {path}.")
        if folder.is_relative_to(where):
            return ()
        if not where.is_relative_to(folder):
            raise UsageError(f"{path} lies outside {folder}.")
        named.append(where.relative_to(settings.root).as_posix())
    return tuple(named)


def mend_and_tell(settings: Settings, rules: tuple[str, ...], only: tuple[str, ...]) -> None:
    """Mends what can be mended; on stderr each finding that is gone, and the changes."""
    from treaty.ops.mending import mend, write
    from treaty.ops.rules import known

    known(rules, kind="lint")
    files = mend(settings, rules=rules, only=only)
    write(settings, files)
    for file in files:
        for row in file.findings:
            click.echo(harmless(f"fixed {row.at} {row.rule}: {row.message}"), err=True)
        click.echo(harmless(file.diff()), err=True, nl=False)


def without(outcome: Outcome, baseline: Path) -> Outcome:
    """The outcome without the findings that a file knows."""
    from treaty.ops.known_findings import read_known, unknown

    known = read_known(baseline)
    kept = unknown(outcome.findings, known)
    gone = len(known - {row.fingerprint for row in outcome.findings})
    note = f"{outcome.looked_at}, {len(outcome.findings) - len(kept)} findings known from {baseline}"
    if gone:
        click.echo(f"{gone} of {baseline} are no longer found: --write-baseline takes them out.", err=True)
    return replace(outcome, findings=kept, looked_at=note)
