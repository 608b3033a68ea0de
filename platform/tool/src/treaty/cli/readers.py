"""``treaty readers``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import click

from treaty.cli.harmless import echo
from treaty.cli.language import chosen
from treaty.cli.progress import working
from treaty.cli.project import config_option, load_settings
from treaty.cli.rows import Rows, row_options, show_rows
from treaty.errors import UsageError

if TYPE_CHECKING:
    from treaty.ops.readers import Answer

LARGEST_BYTES: Final = 64_000_000
COLUMNS = ("kind", "reader", "group", "event", "path", "file", "line", "why", "records")


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
@click.option(
    "--observed",
    multiple=True,
    type=click.File("rb"),
    metavar="FILE",
    help="Tell what running services counted too: their /metrics as text, - for stdin (may be repeated).",
)
@row_options
@config_option
def readers(
    *,
    config: Path | None,
    what: str,
    service: str,
    write: bool,
    merge: tuple[Path, ...],
    observed: tuple[BinaryIO, ...],
    format_: str,
    output: Path | None,
) -> None:
    """Show which line of which service reads an event or a field: found in the code, which is not executed.

    \b
    treaty readers OrderCreated
    treaty readers OrderCreated.lines.title
    treaty readers --service notification --format json
    treaty readers --merge ../billing/schemas/readers.lock
    curl -s http://localhost:8001/metrics | treaty readers --observed -

    Exit codes: 0, 2 usage (no such event, field or service).
    """
    from treaty.ops.readers import answer

    if write or merge:
        if observed or output or format_ != "text":
            raise UsageError(
                "--write and --merge print no rows.", next_step="leave --observed, --format and --output out"
            )
        write_lock(config, merge)
        return
    with working("Reading the services' code"):
        found = answer(load_settings(config), what=what, service=service, counted=map(text_of, observed))
    listed = list(rows(found))
    kinds = ("declared", "reads", "unknown", *(("observed", "undeclared", "silent") if observed else ()))
    counts = {kind: sum(row["kind"] == kind for row in listed) for kind in kinds}
    shown = Rows(name="readers", rows=listed, columns=COLUMNS, text=map(line, listed), summary=counts)
    show_rows(shown, format_=format_, output=output)
    if not found.reads and not found.unknown:
        echo(chosen().say("No reader found. That is no proof that there is none."), err=True)


def write_lock(config: Path | None, merge: tuple[Path, ...]) -> None:
    """Writes ``readers.lock``, with the services of others', and says what is in it."""
    from treaty.ops.readers import write_readers

    scans = write_readers(load_settings(config), merge=merge)
    reads = sum(len(each.reads) for each in scans.values())
    told = chosen().say("{file}: {reads} reads of {services} services.")
    echo(told.format(file="schemas/readers.lock", reads=reads, services=len(scans)), err=True)


def rows(found: Answer) -> Iterator[dict[str, Any]]:
    """Who is declared to read it, the lines that do, and those after which nobody knows."""
    for group, reader in found.declared:
        yield {"kind": "declared", "group": group, "reader": reader}
    for name, read in found.reads:
        yield {"kind": "reads", "reader": name, **asdict(read), "exhaustive": read in found.exhaustive}
    for name, lost in found.unknown:
        yield {"kind": "unknown", "reader": name, **asdict(lost)}
    for seen in found.observed:
        told = asdict(seen)
        yield {"kind": told.pop("kind"), "reader": told.pop("service"), **told}


def text_of(file: BinaryIO) -> str:
    """What a service told, at most 64 MB of it; bytes that are no UTF-8 become U+FFFD."""
    told = file.read(LARGEST_BYTES + 1)
    if len(told) > LARGEST_BYTES:
        raise UsageError(
            f"{file.name} holds more than {LARGEST_BYTES} bytes: that is not what a service counts.",
            next_step="curl -s http://SERVICE/metrics | treaty readers --observed -",
        )
    return told.decode("utf-8", "replace")


def line(row: Mapping[str, Any]) -> str:
    """A row for people."""
    if row["kind"] == "declared":
        return f"declared  {row['group']}  ({row['reader']})"
    if row["kind"] == "unknown":
        return f"unknown   {row['event']}  {row['reader']}  {row['file']}:{row['line']}  {row['why']}"
    if "records" in row:
        return f"{row['kind']:10}{row['event']}  {row['group']}  ({row['reader']})  {row['records']} records"
    more = "  matches all there is" if row["exhaustive"] else ""
    return f"reads     {row['event']}.{row['path']}  {row['reader']}  {row['file']}:{row['line']}{more}"
