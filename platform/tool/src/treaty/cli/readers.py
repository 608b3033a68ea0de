"""``treaty readers``."""

from __future__ import annotations

from pathlib import Path

import click

from treaty.cli.harmless import echo
from treaty.cli.project import config_option, load_settings


@click.command(name="readers")
@click.argument("what", default="", metavar="[EVENT[.FIELD]]")
@click.option("--service", default="", metavar="NAME", help="Only what this service reads.")
@click.option("--write", is_flag=True, help="Write what all services read into schemas/readers.lock.")
@click.option(
    "--merge",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Take the services of another repository's readers.lock into ours (may be repeated).",
)
@config_option
def readers(config: Path | None, what: str, service: str, write: bool, merge: tuple[Path, ...]) -> None:
    """Show which line of which service reads an event or a field: found in the code, which is not executed.

    \b
    treaty readers OrderCreated
    treaty readers OrderCreated.lines.title
    treaty readers --service notification
    treaty readers --merge ../billing/schemas/readers.lock

    Exit codes: 0, 2 usage (no such event, field or service).
    """
    from treaty.ops.readers import answer, write_readers

    if write or merge:
        scans = write_readers(load_settings(config), merge=merge)
        reads = sum(len(each.reads) for each in scans.values())
        echo(f"schemas/readers.lock: {reads} reads of {len(scans)} services.", err=True)
        return
    found = answer(load_settings(config), what=what, service=service)
    for group, reader in found.declared:
        echo(f"declared  {group}  ({reader})")
    for name, read in found.reads:
        more = "  matches all there is" if read in found.exhaustive else ""
        echo(f"reads     {read.event}.{read.path}  {name}  {read.file}:{read.line}{more}")
    for name, lost in found.unknown:
        echo(f"unknown   {lost.event}  {name}  {lost.file}:{lost.line}  {lost.why}")
    if not found.reads and not found.unknown:
        click.echo("No reader found. That is no proof that there is none.", err=True)
