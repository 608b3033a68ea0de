"""``treaty registry export|import|migrate``: contents as files, into any registry, and tables to this release's form."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from treaty.cli.harmless import echo
from treaty.cli.progress import Bar, working
from treaty.cli.project import config_option, debug_option, load_settings

if TYPE_CHECKING:
    from treaty.ops.restore import Report

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command(name="export")
@click.option("--url", required=True, help="The registry to read: ours, or any that Confluent's clients can talk to.")
@click.option("--to", "folder", required=True, type=_FOLDER, help="Folder for the files.")
@click.option("--context", help="Only this context, such as .staging (. for the default one).")
@click.option("--token-file", type=click.Path(path_type=Path, dir_okay=False), help="Read the bearer token there.")
@debug_option
def export(url: str, folder: Path, context: str | None, token_file: Path | None) -> int:
    """Write all versions, configs and modes of a registry to files; deleted versions too.

    \b
    treaty registry export --url http://localhost:8081 --to backup
    treaty registry export --url https://registry.example.org --to backup --token-file token

    Exit codes: 0 done, 2 usage, 3 unreachable or refused.
    """
    from treaty.ops import backup
    from treaty.wiring import registry_at

    with working("Reading subjects") as bar, registry_at(url, token_file=token_file) as registry:
        taken = backup.take(registry, context=context, progress=bar.told)
    backup.write(taken, folder)
    subjects = len({row["subject"] for row in taken.schemas})
    echo(f"{len(taken.schemas)} versions of {subjects} subjects written to {folder}.", err=True)
    return 0


@click.command(name="import")
@click.option("--from", "folder", required=True, type=_FOLDER, help="Folder of an export.")
@click.option("--url", required=True, help="The registry to write to.")
@click.option("--dry-run", is_flag=True, help="Only say what would be written.")
@click.option("--force", is_flag=True, help="Import beside what the registry holds already.")
@click.option("--token-file", type=click.Path(path_type=Path, dir_okay=False), help="Read the bearer token there.")
@debug_option
def import_(folder: Path, url: str, dry_run: bool, force: bool, token_file: Path | None) -> int:
    """Bring an export into a registry, ids and numbers kept, and compare at the end.

    What is there already, the same, is skipped: after a failure run it again.

    \b
    treaty registry import --from backup --url http://localhost:8081 --dry-run
    treaty registry import --from backup --url http://localhost:8081

    Exit codes: 0 the same, 1 the registry holds or answers something else, 2 usage, 3 unreachable or refused.
    """
    from treaty.ops import backup, restore
    from treaty.wiring import registry_at

    taken = backup.read(folder)
    with working("Writing versions") as bar, registry_at(url, token_file=token_file) as registry:
        report = restore.restore(taken, registry, force=force, dry_run=dry_run, say=partial(said, bar))
    return tell(report, dry_run=dry_run)


def said(bar: Bar, text: str) -> None:
    """A line of its own, beside the bar."""
    with bar.aside():
        echo(text, err=True)


def tell(report: Report, *, dry_run: bool) -> int:
    """Say what came of an import, each difference on a line of its own; answers the exit code."""
    would = "would be " if dry_run else ""
    echo(
        f"{report.written} versions {would}written, {report.skipped} there already, {report.deleted} {would}deleted, "
        f"{report.settings} configs and modes {would}set.",
        err=True,
    )
    for difference in report.differences:
        echo(f"differs: {difference}")
    return 1 if report.differences else 0


@click.command()
@click.option("--database", help="The registry's database (default: as for serve).")
@config_option
def migrate(config: Path | None, database: str | None) -> int:
    """Bring the registry's tables to the form that this release needs, before its servers start.

    \b
    treaty registry migrate
    treaty registry migrate --database postgresql+psycopg://registry@localhost/registry

    Exit codes: 0 done, 2 usage, 3 the database is away, or newer than this release.
    """
    from treaty.wiring import migrate_registry

    revision = migrate_registry(load_settings(config), database)
    echo(f"The database is at revision {revision}.", err=True)
    return 0
