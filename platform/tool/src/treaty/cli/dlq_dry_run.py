"""``treaty dlq dry-run``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from treaty.cli.dlq_options import place as as_place
from treaty.cli.harmless import echo, echo_json
from treaty.cli.plans import environment_option
from treaty.cli.project import config_option, load_settings
from treaty.cli.tables import format_option

if TYPE_CHECKING:
    from treaty.ops.dead_letters.dry_run import DryRun
    from treaty_runtime.event import Place


@click.command(name="dry-run")
@click.argument("place", type=as_place)
@click.option(
    "--service", metavar="URL", required=True, help="The service whose group gave it up, such as http://127.0.0.1:8082."
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="TREATY_SERVICE_TOKEN_FILE",
    show_envvar=True,
    help="The file with an admin's token.",
)
@format_option
@environment_option
@config_option
def dry_run(
    config: Path | None, *, environment: str, format_: str, token_file: Path | None, service: str, place: Place
) -> int:
    """Ask the service what its handler would do with a letter today. It runs, and everything is rolled back.

    Rows that it would change, events that it would stage and calls that it would make by `context.outside` are shown. A
    handler that sends by other means and does not say `external=True` sends.

    \b
    treaty dlq dry-run dlq.order/0/17 --service http://127.0.0.1:8082
    treaty dlq dry-run dlq.order/0/17 --service https://order.example --token-file admin.jwt --format json

    Exit codes: 0 it would end well, 1 it would fail again, 2 usage, 3 unreachable or refused.
    """
    from treaty.ops.dead_letters import dry_run as ops
    from treaty.wiring import dead_letters_of, read_secret

    token = read_secret(token_file) if token_file is not None else None
    with dead_letters_of(load_settings(config), environment, topics=[place.topic]) as dead_letters:
        answer = ops.dry_run(dead_letters, place, service=service, token=token)
    show(answer, format_)
    return 0 if answer.is_good else 1


def show(answer: DryRun, format_: str) -> None:
    """Prints an answer."""
    if format_ == "json":
        echo_json(asdict(answer), indent=2)
        return
    echo(f"outcome  {answer.outcome}")
    if answer.error:
        echo(f"error    {answer.error}")
    for table, count in sorted(answer.rows.items()):
        echo(f"rows     {count} in {table}")
    for staged in answer.staged:
        echo(f"staged   {' '.join(staged.values())}")
    for call in answer.outside:
        echo(f"outside  {' '.join(call.values())}")
