"""``treaty release``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from treaty.cli.findings import plural
from treaty.cli.harmless import echo
from treaty.cli.progress import working
from treaty.cli.project import config_option, load_settings

if TYPE_CHECKING:
    from treaty.config import Settings
    from treaty.ops.release import Release, Resumed
    from treaty_codegen.bump import Bump


@click.command(name="release")
@click.argument("version", required=False)
@click.option(
    "--bump",
    type=click.Choice(["auto", "patch", "minor", "major"]),
    default="auto",
    show_default=True,
    help="Without VERSION: at least this; what changed may ask for more.",
)
@click.option("--dry-run", is_flag=True, help="Check and tell everything, write nothing.")
@click.option("--tag", "tags", is_flag=True, help="Commit what was written, and tag the commit schemas/vVERSION.")
@click.option("--if-changed", is_flag=True, help="Exit 0 where nothing changed since the last release.")
@config_option
def release(
    *, config: Path | None, version: str | None, bump: str, dry_run: bool, tags: bool, if_changed: bool
) -> None:
    """Lock the current schemas as the released set VERSION; later changes are checked against it for ever.

    \b
    treaty release
    treaty release --bump minor --dry-run
    treaty release 1.4.0 --tag && git push --follow-tags

    Exit codes: 0 written, 1 not releasable (not committed, stale SDK, errors, breaks, old bytes, no change), 2 usage (version not
    higher than the last).
    """
    from treaty.ops import release as ops
    from treaty.ops.files import alone

    settings, today = load_settings(config), datetime.now(UTC).date()
    if tags:
        ops.refuse_untaggable(settings)
    with alone(settings.folder("schemas")):
        ops.sweep(settings)
        done = None if dry_run else ops.resume(settings, version=version, tags=tags)
        if done is None:
            try:
                with working("Checking what is to be released"):
                    made = ops.prepare(settings, version=version, at_least=least(bump), today=today)
            except ops.NothingChanged as nothing:
                if not if_changed:
                    raise
                echo(str(nothing), err=True)
                return
            tell(made)
            if dry_run:
                echo(made.files["notes.md"], nl=False)
                return
            done = ops.Resumed(version=made.version, files=tuple(ops.write(settings, made)))
        close(settings, done, tags=tags)


def close(settings: Settings, done: Resumed, *, tags: bool) -> None:
    """The files that were written, and the tag or how to come by it."""
    from treaty.ops.release import tag

    for name in done.files:
        echo(name)
    if tags:
        echo(f"tag {tag(settings, done.version)}")
        click.echo("  next: git push --follow-tags", err=True)
    else:
        echo(f"  next: commit, then treaty release {done.version} --tag", err=True)


def least(bump: str) -> Bump:
    """What ``--bump`` asks for at least."""
    from treaty_codegen.bump import Bump

    return Bump.NONE if bump == "auto" else Bump[bump.upper()]


def tell(made: Release) -> None:
    """What a release comes to, on stderr."""
    from treaty_codegen.bump import Bump

    lines = sum(text.count("\n") for name, text in made.files.items() if name.endswith(".jsonl"))
    changed = "nothing" if made.bump is Bump.NONE else made.bump.name.lower()
    echo(
        f"{made.version}: {plural(len(made.contracts.versions), 'event')}, change: {changed}; "
        f"{plural(lines, 'golden value')}, {plural(made.pairs, 'pair')} of releases read as promised.",
        err=True,
    )
