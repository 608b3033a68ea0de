"""``treaty doctor``."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path

import click

from treaty.cli.project import config_option, load_settings


@click.command(name="doctor")
@click.option("--env", "environment", default="local", show_default=True, help="[environment.NAME] of treaty.toml.")
@click.option(
    "--format", "format_", type=click.Choice(["text", "jsonl"]), default="text", help="How to print the rows."
)
@config_option
def doctor(config: Path | None, environment: str, format_: str) -> int:
    """Look for what is wrong, from the project outwards: schemas, SDK, broker, topics, groups, registry, services.

    \b
    treaty doctor
    treaty doctor --env prod --format jsonl

    Exit codes: 0 all is well, 1 a check failed (it names the next command), 2 usage.
    """
    import json

    from treaty.ops.doctor import Patient, examine
    from treaty.wiring import cluster_of, registry_of

    settings = load_settings(config)
    patient = Patient(
        settings=settings,
        environment=environment,
        registry=partial(registry_of, settings, environment),
        cluster=partial(cluster_of, settings, environment),
    )
    failed = 0
    for row in examine(patient):
        failed += row.state == "failed"
        if format_ == "jsonl":
            click.echo(json.dumps(asdict(row), ensure_ascii=False))
            continue
        click.echo(f"{row.state:7} {row.name:22} {row.detail}")
        if row.next_step:
            click.echo(f"{'':30} next: {row.next_step}")
    return 1 if failed else 0
