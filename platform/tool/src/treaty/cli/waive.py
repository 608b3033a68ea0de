"""``treaty waive``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from treaty.cli.project import config_option, load_settings


@click.command(name="waive")
@click.argument("fingerprint")
@click.option(
    "--until", required=True, type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Last day, at most 180 ahead."
)
@click.option("--reason", required=True, metavar="TEXT", help="Why this break is accepted, for those who are asked.")
@click.option("--base", default="", metavar="REF", help="The branch for merge-base, as for `treaty breaking`.")
@config_option
def waive(config: Path | None, fingerprint: str, until: datetime, reason: str, base: str) -> None:
    """Print the table for schemas/waivers.toml that accepts one finding of `treaty breaking`.

    \b
    treaty waive 9f31c2a0b4d87e11 --until 2026-12-31 --reason "no production records yet"
    treaty waive 9f31c2a0b4d87e11 --until 2026-12-31 --reason "agreed with billing" >> schemas/waivers.toml

    Exit codes: 0 printed, 2 usage (nothing with this fingerprint is found).
    """
    from treaty.ops.against import Against
    from treaty.ops.check import run_breaking
    from treaty.ops.schemas import load_project
    from treaty.ops.waivers import skeleton

    settings = load_settings(config)
    outcome = run_breaking(settings, Against(base=base, judges_all=True), today=datetime.now(UTC).date())
    table = skeleton(
        outcome.findings,
        fingerprint,
        catalog=load_project(settings),
        pii_owner=settings.get("governance", "pii_owner"),
        until=until.date(),
        reason=reason,
    )
    click.echo(table, nl=False)
