"""``treaty release``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from treaty.cli.findings import plural
from treaty.cli.project import config_option, load_settings


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
@config_option
def release(config: Path | None, version: str | None, bump: str, dry_run: bool) -> None:
    """Lock the current schemas as the released set VERSION; later changes are checked against it for ever.

    \b
    treaty release
    treaty release --bump minor --dry-run
    treaty release 1.4.0 && git add schemas

    Exit codes: 0 written, 1 not releasable (errors, breaks, old bytes, no change), 2 usage (version not higher than the last).
    """
    from treaty.ops.lockfile import LOCK
    from treaty.ops.release import prepare, write
    from treaty_codegen.bump import Bump

    settings, today = load_settings(config), datetime.now(UTC).date()
    least = Bump.NONE if bump == "auto" else Bump[bump.upper()]
    made = prepare(settings, version=version, at_least=least, today=today)
    lines = sum(text.count("\n") for name, text in made.files.items() if name.endswith(".jsonl"))
    changed = "nothing" if made.bump is Bump.NONE else made.bump.name.lower()
    click.echo(
        f"{made.version}: {plural(len(made.contracts.versions), 'event')}, change: {changed}; "
        f"{plural(lines, 'golden value')}, {plural(made.pairs, 'pair')} of releases read as promised.",
        err=True,
    )
    if dry_run:
        click.echo(made.files["notes.md"], nl=False)
        return
    write(settings, made)
    for name in made.files:
        click.echo(f"{made.path}/{name}")
    click.echo((settings.folder("schemas") / LOCK).relative_to(settings.root).as_posix())
    click.echo(f"  next: treaty generate, commit, git tag -a schemas/v{made.version}", err=True)
