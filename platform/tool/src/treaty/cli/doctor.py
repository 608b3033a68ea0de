"""``treaty doctor``."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import click

from treaty.cli.harmless import echo, echo_json
from treaty.cli.project import config_option, load_settings

if TYPE_CHECKING:
    from treaty.config import Settings


@click.command(name="doctor")
@click.option("--env", "environment", default="local", show_default=True, help="[environment.NAME] of treaty.toml.")
@click.option(
    "--format", "format_", type=click.Choice(["text", "jsonl"]), default="text", help="How to print the rows."
)
@click.option("--publish", metavar="TOPIC", help="Publish a test event into this topic too, and read it back.")
@config_option
def doctor(config: Path | None, environment: str, format_: str, publish: str | None) -> int:
    """Look for what is wrong, from the project outwards: schemas, SDK, broker, topics, groups, registry, services.

    \b
    treaty doctor
    treaty doctor --publish order-events
    treaty doctor --env prod --format jsonl

    Exit codes: 0 all is well, 1 a check failed (it names the next command), 2 usage.
    """
    from treaty.ops.doctor import Patient, examine, made
    from treaty.wiring import cluster_of, registry_of

    settings = load_settings(config)
    patient = Patient(
        settings=settings,
        environment=environment,
        registry=partial(registry_of, settings, environment),
        cluster=partial(cluster_of, settings, environment),
    )
    looks = examine(patient)
    if publish is not None:
        looks = chain(looks, [made(f"publish {publish}", partial(published, settings, environment, publish))])
    failed = 0
    for row in looks:
        failed += row.state == "failed"
        if format_ == "jsonl":
            echo_json(asdict(row))
            continue
        echo(f"{row.state:7} {row.name:22} {row.detail}")
        if row.next_step:
            echo(f"{'':30} next: {row.next_step}")
    return 1 if failed else 0


def published(settings: Settings, environment: str, topic: str) -> str:
    """Where a test event lies that was published and read back."""
    from treaty.ops.quick_test import publish_test
    from treaty.ops.registered import Registered
    from treaty.ops.schemas import load_project
    from treaty.wiring import cluster_log, registry_of

    with registry_of(settings, environment) as registry, cluster_log(settings, environment) as connected:
        sent = publish_test(
            topic,
            load_project(settings),
            registered=Registered(registry),
            log=connected.log,
            event_id=uuid4(),
            now=datetime.now(UTC),
            note="treaty doctor",
        )
    place = f"{sent.place.topic}/{sent.place.partition}/{sent.place.offset}"
    return f"{sent.event_type} read back from {place}, key {sent.key}, event id {sent.event_id}"
