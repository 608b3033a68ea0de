"""``treaty registry rebuild``: an empty registry from git, ids kept."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from treaty.cli.plans import environment_option
from treaty.cli.progress import working
from treaty.cli.project import config_option, load_settings
from treaty.cli.registry_backup import said, tell


@click.command()
@environment_option
@click.option(
    "--lock",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Read the ids there (default: schemas.lock of the project).",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be written.")
@click.option("--force", is_flag=True, help="Rebuild beside what the registry holds already.")
@config_option
def rebuild(config: Path | None, environment: str, lock: Path | None, dry_run: bool, force: bool) -> int:
    """Fill an empty registry from git, under the ids of schemas.lock, and compare at the end.

    For a registry whose database is lost and of which there is no export: records that lie in topics are readable again.
    What is there already, the same, is skipped: after a failure run it again.

    \b
    treaty registry rebuild --env prod --dry-run
    treaty registry rebuild --env prod

    Exit codes: 0 the same, 1 git lacks a text, or the registry holds or answers something else, 2 usage, 3 unreachable or refused.
    """
    from treaty.ops.lockfile import read_lock, read_lock_file
    from treaty.ops.rebuild import from_git
    from treaty.ops.restore import restore
    from treaty.wiring import registry_of

    settings = load_settings(config)
    remembered = read_lock(settings.folder("schemas")) if lock is None else read_lock_file(lock)
    backup = from_git(settings, remembered, environment=environment)
    with working("Writing versions") as bar, registry_of(settings, environment) as registry:
        report = restore(backup, registry, force=force, dry_run=dry_run, say=partial(said, bar))
    return tell(report, dry_run=dry_run)
